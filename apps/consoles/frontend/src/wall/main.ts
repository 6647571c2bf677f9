import { mountAt, pageData } from "$lib/page";
import Wall, { type PageData } from "./Wall.svelte";

mountAt("wall", Wall, { page: pageData<PageData>("page") });
