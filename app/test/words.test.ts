import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../src/i18n/en.ts";
import { ms } from "../src/i18n/ms.ts";

/** Every key below a tree of words, with its text. */
function flatten(tree: object, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree) as [string, string | object][]) {
    if (typeof value === "string") found.set(path + key, value);
    else for (const [below, text] of flatten(value, `${path}${key}/`)) found.set(below, text);
  }
  return found;
}

const english = flatten(en);
const malay = flatten(ms);

test("English and Bahasa Malaysia have the same keys, so that no screen falls silent in one of them", () => {
  assert.deepEqual([...malay.keys()].sort(), [...english.keys()].sort());
});

test("every text names the same values in both languages, so that no number or name is lost in translation", () => {
  const values = (text: string) => [...new Set(text.match(/\{\{\w+\}\}/g))].sort();
  for (const [key, text] of english) {
    const other = malay.get(key) ?? "";
    // Malay has one form for one and many: its text for one may name the count where English writes it out.
    assert.deepEqual(values(other), values(text), key);
    assert.notEqual(other.trim(), "", key);
  }
});
