// What every page has: the styles and the switch between light and dark.
import "$ui/tokens.css";
import "$ui/base.css";
import "$ui/controls.css";
import "$ui/pages.css";
import { THEMES, chooseTheme, chosenTheme } from "$lib/theme";
import { t } from "$lib/words";

const WORDS = { system: "theme_system", light: "theme_light", dark: "theme_dark" } as const;
const ICONS = { system: "i-half", light: "i-sun", dark: "i-moon" } as const;

const button = document.querySelector<HTMLButtonElement>("#theme-switch");

function show(): void {
  const theme = chosenTheme();
  button?.setAttribute("aria-label", `${t("theme")}: ${t(WORDS[theme])}`);
  button?.setAttribute("title", `${t("theme")}: ${t(WORDS[theme])}`);
  button?.querySelector("use")?.setAttribute("href", `#${ICONS[theme]}`);
}

button?.addEventListener("click", () => {
  chooseTheme(THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length] ?? "system");
  show();
});
if (button) button.hidden = false;
show();
