import { mountAt, pageData } from "$lib/page";
import Integrations from "./Integrations.svelte";
import type { PageData } from "./model";

mountAt("integrations", Integrations, { page: pageData<PageData>("page") });
