import { mountAt, pageData } from "$lib/page";
import Customers from "./Customers.svelte";
import type { PageData } from "./model";

mountAt("customers", Customers, { page: pageData<PageData>("page") });
