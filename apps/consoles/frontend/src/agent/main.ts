import { mountAt, pageData } from "$lib/page";
import Agent from "./Agent.svelte";
import type { PageData } from "./model";

mountAt("console", Agent, { page: pageData<PageData>("page") });
