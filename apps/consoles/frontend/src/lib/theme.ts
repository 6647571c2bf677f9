/**
 * Dark, light, or as the system. The choice is a cookie, so that the server writes it into the page and nothing flashes
 * while the scripts load.
 */

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];

export function chosenTheme(): Theme {
  const written = document.documentElement.dataset.theme;
  return written === "light" || written === "dark" ? written : "system";
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? ";Secure" : "";
  document.cookie = `theme=${theme};path=/;max-age=31536000;SameSite=Lax${secure}`;
}
