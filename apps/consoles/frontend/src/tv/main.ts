import "$ui/tokens.css";
import "$ui/base.css";
import "$ui/controls.css";
import "$ui/pages.css";
import { mountAt, pageData } from "$lib/page";
import Tv, { type PageData } from "./Tv.svelte";

mountAt("tv", Tv, { page: pageData<PageData>("page") });
