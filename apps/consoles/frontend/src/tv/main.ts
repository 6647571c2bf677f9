import "$ui/tokens.css";
import "$ui/base.css";
import { mountAt, pageData } from "$lib/page";
import Tv, { type PageData } from "./Tv.svelte";

mountAt("tv", Tv, { page: pageData<PageData>("page") });
