import { expect, test } from "vitest";

interface Words {
  en: Record<string, string>;
  zh: Record<string, string>;
}

const modules = import.meta.glob<Record<string, unknown>>(["../**/*words.ts", "./states.ts"], { eager: true });
const dictionaries = Object.entries(modules).flatMap(([path, module]) =>
  Object.entries(module)
    .filter((entry): entry is [string, Words] => typeof entry[1] === "function" && "en" in entry[1] && "zh" in entry[1])
    .map(([name, words]) => ({ name: `${path} ${name}`, words })),
);
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

test("there are dictionaries", () => expect(dictionaries.length).toBeGreaterThan(1));

test.each(dictionaries)("$name says everything in both languages, with the same names to fill in", ({ words }) => {
  expect(Object.keys(words.zh).sort()).toEqual(Object.keys(words.en).sort());
  for (const [key, english] of Object.entries(words.en)) {
    const chinese = words.zh[key] ?? "";
    expect(chinese, key).not.toBe("");
    expect(english, key).not.toBe("");
    expect(names(chinese), key).toEqual(names(english));
  }
});
