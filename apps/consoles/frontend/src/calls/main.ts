import { mountAt, pageData } from "$lib/page";
import CallPage from "./CallPage.svelte";
import CallsPage, { type PageData } from "./CallsPage.svelte";
import type { Story } from "./story";

if (document.getElementById("call")) mountAt("call", CallPage, { story: pageData<Story>("page") });
else mountAt("calls", CallsPage, { page: pageData<PageData>("page") });
