import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerProblems,
  coversTerritory,
  formOf,
  goodBySku,
  peopleOf,
  personByCode,
  priceOf,
  searchGoods,
} from "../../src/index.ts";
import { samplePack } from "./sample-pack.ts";

const pack = samplePack(17);

describe("price", () => {
  const cases: [string, number, string, number, string | null][] = [
    ["below every scheme's quantity the list price counts", 11, "2026-11-23", 1_100, null],
    ["from a scheme's quantity on its price counts", 12, "2026-11-23", 1_050, "BULK-12"],
    ["where two schemes are reached the lower price counts", 48, "2026-11-23", 1_000, "BULK-48"],
    ["a scheme that has ended counts no more", 12, "2026-11-24", 1_100, null],
    ["a scheme that has not begun does not count yet", 48, "2025-12-31", 1_100, null],
  ];
  for (const [title, quantity, day, unitPriceSen, scheme] of cases) {
    test(title, () => assert.deepEqual(priceOf(pack, "910", quantity, day), { unitPriceSen, scheme, madeUp: true }));
  }

  test("a scheme that is dearer than the list never counts", () => {
    const dear = samplePack(1, {
      schemes: [{ scheme: "X", sku: "1", fromQuantity: 1, unitPriceSen: 900, from: "2026-01-01", to: "2026-12-31" }],
    });
    assert.equal(priceOf(dear, "1", 5, "2026-11-23")?.unitPriceSen, 869);
  });

  test("an unknown SKU has no price", () => assert.equal(priceOf(pack, "999", 1, "2026-11-23"), undefined));
});

describe("goods", () => {
  test("a good is found by its SKU", () => assert.equal(goodBySku(pack, "1")?.name, "Chicken"));
  test("a search finds goods that hold every word, in any order and case", () => {
    assert.deepEqual(
      searchGoods(pack, " CORDIAL rose").map(({ sku }) => sku),
      ["910"],
    );
    assert.equal(searchGoods(pack, "rose chicken").length, 0);
    assert.equal(searchGoods(pack, "").length, 2);
  });
});

describe("forms", () => {
  const form = formOf(pack, "shelf");
  assert.ok(form);
  const cases: [string, Record<string, string | number | boolean | null>, string[]][] = [
    ["full answers have no problem", { facings: 8, promo: "none" }, []],
    ["an optional question may stay open", { facings: 0, promo: null }, []],
    ["a required question without an answer is named", {}, ["facings required"]],
    ["an answer of the wrong type is named", { facings: "eight" }, ["facings type"]],
    ["a choice that is not offered is named", { facings: 1, promo: "gift" }, ["promo type"]],
    ["an answer that nobody asked for is named", { facings: 1, colour: "red" }, ["colour unknown"]],
  ];
  for (const [title, answers, problems] of cases) {
    test(title, () =>
      assert.deepEqual(
        answerProblems(form, answers).map(({ question, problem }) => `${question} ${problem}`),
        problems,
      ),
    );
  }
  test("the newest version of a form is taken unless one is asked for", () => {
    const two = samplePack(1, { forms: [form, { ...form, version: 2 }] });
    assert.equal(formOf(two, "shelf")?.version, 2);
    assert.equal(formOf(two, "shelf", 1)?.version, 1);
    assert.equal(formOf(two, "shelf", 3), undefined);
  });
});

describe("people", () => {
  test("a star covers every territory", () => {
    assert.ok(coversTerritory(["*"], "NS-KP"));
    assert.ok(!coversTerritory(["NS-KP"], "NS-PD"));
    assert.deepEqual(
      peopleOf(pack, "NS-PD").map(({ code }) => code),
      ["H001"],
    );
  });
  test("a person is found by code", () => assert.equal(personByCode(pack, "R012")?.name, "Ravi"));
});
