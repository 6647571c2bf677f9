/** The one who chose a tenant (a superuser) goes on looking there. */
const chosen = typeof location !== "undefined" ? new URLSearchParams(location.search).get("tenant") : null;

/** An address of this server, of the tenant that this page is about. */
export function ofTenant(path: string, tenant: string | null = chosen): string {
  return tenant ? `${path}${path.includes("?") ? "&" : "?"}tenant=${encodeURIComponent(tenant)}` : path;
}
