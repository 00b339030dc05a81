import { documentId, documentKinds, openPack, priceOf, type Pack } from "@sampai/engine";
import { createNodeCrypto } from "@sampai/engine/adapters/node-crypto";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import type { ImportFiles } from "../../src/import/csv-folder.ts";
import { runImport, type ImportSummary } from "../../src/import/import.ts";
import { problemLine } from "../../src/import/problem.ts";
import { packsOf } from "../../src/reference/stored-packs.ts";
import {
  bytesOf,
  demoFiles,
  keysIn,
  openFolder,
  smallFiles,
  textOf,
  viewIn,
  withFolder,
  type TestFolder,
} from "./demo-files.ts";
import { idleClaim } from "../idle-claim.ts";

const monday = "2026-11-23";

function importer(folder: TestFolder) {
  const run = (files: ImportFiles, week?: string) => runImport(folder, files, week === undefined ? {} : { week });
  const done = async (files: ImportFiles, week?: string): Promise<ImportSummary> => {
    const result = await run(files, week);
    assert.ok(result.ok, result.ok ? "" : result.error.map(problemLine).join("\n"));
    return result.value;
  };
  return { run, done, packs: packsOf(folder.db) };
}

describe("the demo workspace", () => {
  let folder: TestFolder;
  let close: () => Promise<void>;
  let first: ImportSummary;
  before(async () => {
    ({ folder, close } = await openFolder());
    first = await importer(folder).done(demoFiles());
  });
  after(() => close());

  test("is imported whole, without a warning", () => {
    assert.deepEqual(first.warnings.map(problemLine), []);
    assert.deepEqual(first.stores, { created: 250, changed: 0, unchanged: 0 });
    assert.deepEqual(first.plans, { created: 12, changed: 0, unchanged: 0 });
    assert.deepEqual([first.pack.number, first.pack.isNew, first.week], [1, true, "2026-W48"]);
    assert.equal(folder.db.prepare("select count(*) as count from person").get()?.["count"], 15);
    const pack = packsOf(folder.db).newest();
    assert.equal(pack?.goods.length, 356);
    assert.ok(pack.goods.every((good) => good.priceMadeUp === !["1", "2", "3"].includes(good.sku)));
  });

  test("makes and sends photos as photos.csv says, and goes on so when it is imported without that file", () =>
    withFolder(async (folder) => {
      const { done, packs } = importer(folder);
      const policy =
        "longest_edge,quality,target_kb,preview_edge,originals_on_wifi_only,mobile_mb_per_day,keep_exif\n" +
        "2048,85,,256,yes,20,capturedAt|camera\n";
      await done({ ...smallFiles(), "photos.csv": bytesOf(policy) });
      const photo = {
        longestEdge: 2_048,
        quality: 85,
        previewEdge: 256,
        originalsOnWifiOnly: true,
        mobileBytesPerDay: 20_000_000,
        keepExif: ["capturedAt", "camera"],
      };
      assert.deepEqual(packs.newest()?.photo, photo);
      const again = await done(smallFiles());
      assert.equal(again.pack.isNew, false);
      assert.deepEqual(packs.newest()?.photo, photo);
    }));

  test("leaves no trace when it is imported again", async () => {
    const changes = () => folder.db.prepare("select count(*) as count from change").get()?.["count"];
    const before = changes();
    const again = await importer(folder).done(demoFiles());
    assert.deepEqual(again.pack, { ...first.pack, isNew: false });
    assert.deepEqual(again.stores, { created: 0, changed: 0, unchanged: 250 });
    assert.deepEqual(again.plans, { created: 0, changed: 0, unchanged: 12 });
    assert.equal(changes(), before);
  });

  test("gives every rep six different stops on each day of this week, all in his territory", async () => {
    for (const key of keysIn(folder, "plan")) {
      const plan = await viewIn(folder, "plan", key);
      const stores = Object.entries(plan["stopStore"] as Record<string, string>)
        .filter(([row]) => row.startsWith(`${monday}/`))
        .map(([, store]) => store);
      assert.equal(new Set(stores).size, 6, key);
      for (const store of stores) {
        assert.equal((await viewIn(folder, "store", store))["territory"], plan["territory"]);
      }
    }
  });

  test("carries the uncertainty and source of an approximate point into the store master", async () => {
    const stores = await Promise.all(keysIn(folder, "store").map((key) => viewIn(folder, "store", key)));
    const approximate = stores.filter((store) => String(store["coordinatesSource"]).startsWith("approximate"));
    assert.equal(approximate.length, 129);
    assert.ok(approximate.every((store) => Number(store["uncertaintyMeters"]) >= 3_000));
  });
});

describe("store masters and plans", () => {
  let folder: TestFolder;
  let close: () => Promise<void>;
  before(async () => {
    ({ folder, close } = await openFolder());
    await importer(folder).done(smallFiles());
  });
  after(() => close());

  test("a changed cell is written, and no other field of no other store", async () => {
    const stores = textOf(smallFiles()["stores.csv"]).replace("Kedai Dua", "Kedai Tiga");
    const summary = await importer(folder).done({ "stores.csv": bytesOf(stores) });
    assert.deepEqual(summary.stores, { created: 0, changed: 1, unchanged: 1 });
    assert.equal((await viewIn(folder, "store", "S-2"))["name"], "Kedai Tiga");
    assert.equal((await viewIn(folder, "store", "S-1"))["name"], "Kedai Satu");
  });

  test("a file that did not change never undoes what a person corrected since", async () => {
    const correction = { kind: "store", key: "S-1", values: { name: "Kedai Satu Baru" } } as const;
    // Written behind the importer's back: it remembers only what its own files said.
    await putDocuments(folder, [correction]);
    await folder.writer.run("noteImported", {
      doc: documentId(folder.workspace.id, "store", "S-1"),
      imported: { name: JSON.stringify("Kedai Satu") },
    });
    const summary = await importer(folder).done({ "stores.csv": smallFiles()["stores.csv"] as Uint8Array });
    assert.equal(summary.stores.changed, 1, "the other store went back to its name in the file");
    assert.equal((await viewIn(folder, "store", "S-1"))["name"], "Kedai Satu Baru");
  });

  test("a stop that is in the file no more leaves the plan, and may come back", async () => {
    const stopsNow = async () => {
      const rows = Object.entries((await viewIn(folder, "plan", "R001/2026-W48"))["stopStore"] as object);
      return rows.filter(([, store]) => store !== null).map(([row, store]) => `${row} ${String(store)}`);
    };
    const plans = smallFiles()["plans.csv"] as Uint8Array;
    assert.deepEqual(await stopsNow(), ["2026-11-23/1 S-1", "2026-11-24/1 S-2"]);
    await importer(folder).done({ "plans.csv": bytesOf("rep,week,weekday,stop,store\nR001,+0,1,1,S-1\n") });
    assert.deepEqual(await stopsNow(), ["2026-11-23/1 S-1"]);
    await importer(folder).done({ "plans.csv": plans });
    assert.deepEqual(await stopsNow(), ["2026-11-23/1 S-1", "2026-11-24/1 S-2"]);
  });
});

describe("a pack that an import issues", () => {
  test("is signed by the workspace's root key, so that a phone takes it", () =>
    withFolder(async (folder) => {
      const { done, packs } = importer(folder);
      await done(smallFiles());
      const row = packs.row(1);
      assert.ok(row);
      const { id, rootKey } = folder.workspace;
      const expected = { workspace: id, rootKey, number: 1 };
      const opened = await openPack(row, expected, createNodeCrypto());
      assert.ok(opened.ok);
      assert.equal(priceOf(opened.value.pack, "910", 12, "2026-11-25")?.unitPriceSen, 1_050);
    }));

  test("keeps what a file that was not given said before", () =>
    withFolder(async (folder) => {
      const { done, packs } = importer(folder);
      await done(smallFiles());
      const before = packs.newest();
      await done({ "goods.csv": bytesOf("sku,name,unit,price_rm\n910,Cordial,2 liter,12.00\n") });
      const after = packs.newest();
      assert.equal(after?.number, 2);
      assert.deepEqual(
        { ...after, number: 1, issuedAt: "", goods: [] },
        { ...(before as Pack), issuedAt: "", goods: [] },
      );
      assert.deepEqual(
        after.goods.map(({ sku, priceSen }) => [sku, priceSen]),
        [["910", 1_200]],
      );
      assert.equal(packs.pack(1)?.goods.length, 2, "the old pack stays readable");
    }));

  test("never takes a number that a phone holds already, after the relay lost it", () =>
    withFolder(async (folder) => {
      const { done } = importer(folder);
      assert.equal((await done(smallFiles())).pack.number, 1);
      await folder.writer.run("claim", { device: "d1", claim: idleClaim({ pack: 7 }) });
      const goods = bytesOf("sku,name,unit,price_rm\n910,Cordial,2 liter,12.00\n");
      assert.equal((await done({ "goods.csv": goods })).pack.number, 8);
    }));

  test("does not believe a phone that claims a number far from ours", () =>
    withFolder(async (folder) => {
      await folder.writer.run("claim", { device: "d1", claim: idleClaim({ pack: 9_007_199_254_740_990 }) });
      assert.equal((await importer(folder).done(smallFiles())).pack.number, 1);
    }));

  test("writes out the conflict rule of every field, changed where the file says so", () =>
    withFolder(async (folder) => {
      const { done, packs } = importer(folder);
      await done({ ...smallFiles(), "conflicts.csv": bytesOf("document,field,rule\nstore,name,keep-all\n") });
      const rules = packs.newest()?.rules.conflicts;
      for (const { kind, fields } of Object.values(documentKinds)) {
        for (const [field, { rule }] of Object.entries(fields)) {
          assert.equal(rules?.[kind]?.[field], kind === "store" && field === "name" ? "keep-all" : rule);
        }
      }
    }));

  test("is noted in the trail with what was read", () =>
    withFolder(async (folder) => {
      await importer(folder).done(smallFiles());
      const row = folder.db.prepare("select item, detail from trail where topic = 'import'").get();
      assert.equal(row?.["item"], "pack/1");
      assert.equal((JSON.parse(String(row["detail"])) as { rows: { goods: number } }).rows.goods, 2);
    }));
});

describe("weeks", () => {
  test("a week that the year does not have is refused", () =>
    withFolder(async (folder) => {
      const { run, packs } = importer(folder);
      const result = await run(smallFiles(), "2027-W53");
      assert.ok(!result.ok);
      assert.deepEqual(result.error.map(problemLine), ["import: there is no week 2027-W53"]);
      assert.equal(packs.newestNumber(), null);
    }));

  test("+1 is the week after it, also over the turn of the year", () =>
    withFolder(async (folder) => {
      const { done } = importer(folder);
      await done(
        { ...smallFiles(), "plans.csv": bytesOf("rep,week,weekday,stop,store\nR001,+1,5,1,S-1\n") },
        "2026-W52",
      );
      const plan = await viewIn(folder, "plan", "R001/2026-W53");
      assert.deepEqual(plan["stopStore"], { "2027-01-01/1": "S-1" });
    }));
});

const cases: [title: string, file: string, change: (text: string) => string, problem: RegExp][] = [
  ["an empty cell that is needed", "goods.csv", (t) => t.replace("Cordial", ""), /^goods\.csv:2 name: is empty$/],
  [
    "a price with three decimals",
    "goods.csv",
    (t) => t.replace("8.69", "8.695"),
    /^goods\.csv:3 price_rm: "8\.695" is no amount/,
  ],
  ["a negative price", "goods.csv", (t) => t.replace("8.69", "-1"), /^goods\.csv:3 price_rm: "-1" is no amount/],
  ["a duplicate SKU", "goods.csv", (t) => `${t}910,Again,1kg,1.00\n`, /^goods\.csv:4 sku: stands on line 2 already$/],
  ["a missing column", "goods.csv", (t) => t.replace("unit", "units"), /^goods\.csv:1 unit: this column is missing$/],
  ["an unknown column", "goods.csv", (t) => t.replace("unit", "units"), /^goods\.csv:1 units: no such column/],
  ["a column that stands twice", "holidays.csv", (t) => t.replace("date,name", "date,date"), /header twice/],
  [
    "a row with a cell too many",
    "goods.csv",
    (t) => t.replace("8.69", "8.69,x"),
    /^goods\.csv:3: has 5 cells, the header has 4$/,
  ],
  ["an open quote", "goods.csv", (t) => t.replace("Chicken", '"Chicken'), /^goods\.csv:\d+: is no CSV/],
  [
    "a code with a blank",
    "territories.csv",
    (t) => t.replace("T2", "T 2"),
    /^territories\.csv:3 code: "T 2" is no code/,
  ],
  ["an unknown role", "reps.csv", (t) => t.replace("supervisor", "boss"), /^reps\.csv:4 role: "boss" is none of rep/],
  [
    "a territory that is not there",
    "reps.csv",
    (t) => t.replace("T1|T2", "T1|T9"),
    /^reps\.csv:4 territories: there is no territory T9$/,
  ],
  [
    "a scheme for an unknown SKU",
    "schemes.csv",
    (t) => t.replace("910", "911"),
    /^schemes\.csv:2 sku: there is no SKU 911$/,
  ],
  [
    "a scheme that ends before it begins",
    "schemes.csv",
    (t) => t.replace("2026-12-31", "2025-12-31"),
    /^schemes\.csv:2 to: is before from$/,
  ],
  [
    "a date that is none",
    "schemes.csv",
    (t) => t.replace("2026-12-31", "2026-02-30"),
    /^schemes\.csv:2 to: "2026-02-30" is no date/,
  ],
  [
    "an owner who is not there",
    "stores.csv",
    (t) => t.replace("R002", "R009"),
    /^stores\.csv:3 owner_rep: there is no person R009$/,
  ],
  [
    "an owner who is no rep",
    "stores.csv",
    (t) => t.replace("R002", "S001"),
    /^stores\.csv:3 owner_rep: S001 is no rep but supervisor$/,
  ],
  [
    "an owner from another territory",
    "stores.csv",
    (t) => t.replace("R002", "R001"),
    /^stores\.csv:3 owner_rep: R001 does not work in T2$/,
  ],
  [
    "a store in an unknown territory",
    "stores.csv",
    (t) => t.replace("T2", "T3"),
    /^stores\.csv:3 territory: there is no territory T3$/,
  ],
  [
    "a point outside Malaysia",
    "stores.csv",
    (t) => t.replace("101.8", "11.8"),
    /^stores\.csv:3 lat: 2\.5, 11\.8 is outside Malaysia$/,
  ],
  [
    "a swapped point",
    "stores.csv",
    (t) => t.replace("2.5,101.8", "101.8,2.5"),
    /^stores\.csv:3 lat: latitude and longitude are swapped$/,
  ],
  ["a point at 0, 0", "stores.csv", (t) => t.replace("2.5,101.8", "0,0"), /^stores\.csv:3 lat: 0, 0 is no place/],
  [
    "half a point",
    "stores.csv",
    (t) => t.replace("2.5,101.8", ",101.8"),
    /^stores\.csv:3 lat: latitude and longitude come together/,
  ],
  [
    "a latitude that is no number",
    "stores.csv",
    (t) => t.replace("2.5,", "2°30,"),
    /^stores\.csv:3 lat: "2°30" is no decimal number/,
  ],
  [
    "a plan for an unknown store",
    "plans.csv",
    (t) => t.replace("S-2", "S-9"),
    /^plans\.csv:3 store: there is no store S-9$/,
  ],
  [
    "a plan for somebody who is no rep",
    "plans.csv",
    (t) => t.replace("R001,+0,2", "S001,+0,2"),
    /^plans\.csv:3 rep: S001 is no rep/,
  ],
  [
    "an eighth day",
    "plans.csv",
    (t) => t.replace("+0,2", "+0,8"),
    /^plans\.csv:3 weekday: "8" is not between 1 and 7$/,
  ],
  [
    "one stop named in two ways",
    "plans.csv",
    (t) => `${t}R001,2026-W48,1,1,S-2\n`,
    /^plans\.csv:4 stop: stop 1 of 2026-11-23 stands on line 2 already$/,
  ],
  [
    "a week that the year does not have",
    "plans.csv",
    (t) => t.replace("+0,2", "2027-W53,2"),
    /^plans\.csv:3 week: there is no week 2027-W53$/,
  ],
  [
    "a choice without options",
    "forms.csv",
    (t) => t.replace("a:A:A|b:B:B", ""),
    /^forms\.csv:3 options: a choice needs options$/,
  ],
  [
    "an option twice",
    "forms.csv",
    (t) => t.replace("b:B:B", "a:B:B"),
    /^forms\.csv:3 options: .* with each value once$/,
  ],
  [
    "a form with two titles",
    "forms.csv",
    (t) => t.replace("Audit,Audit,promo", "Other,Audit,promo"),
    /^forms\.csv:3 title_en: shelf version 1 has another title on line 2$/,
  ],
  [
    "a rule that is not there",
    "rules.csv",
    (t) => t.replace("credit-limit", "credit-limmit"),
    /^rules\.csv:2 rule: there is no rule credit-limmit/,
  ],
  [
    "a conflict rule for a field that is not there",
    "conflicts.csv",
    () => "document,field,rule\nstore,colour,latest\n",
    /^conflicts\.csv:2 field: a store has no field colour$/,
  ],
  [
    "a conflict rule for what Automerge merges itself",
    "conflicts.csv",
    () => "document,field,rule\nstore,notes,latest\n",
    /^conflicts\.csv:2 rule: notes is a text/,
  ],
  [
    "a conflict rule that needs an order where there is none",
    "conflicts.csv",
    () => "document,field,rule\nstore,name,max\n",
    /^conflicts\.csv:2 rule: name has no larger and smaller$/,
  ],
  [
    "EXIF that no policy may keep",
    "photos.csv",
    () =>
      "longest_edge,quality,preview_edge,originals_on_wifi_only,mobile_mb_per_day,keep_exif\n1600,80,320,no,50,camera|GPSLatitude\n",
    /^photos\.csv:2 keep_exif: .*none of capturedAt, camera/,
  ],
  [
    "an unknown consequence",
    "rules.csv",
    (t) => t.replace("hold-order", "shout"),
    /^rules\.csv:2 consequence: "shout" is none of annotate/,
  ],
];

describe("bad rows are named by file, line and column, and nothing is imported:", () => {
  let folder: TestFolder;
  let close: () => Promise<void>;
  before(async () => ({ folder, close } = await openFolder()));
  after(() => close());

  for (const [title, file, change, problem] of cases) {
    test(title, async () => {
      const { run, packs } = importer(folder);
      const files = smallFiles();
      files[file] = bytesOf(change(textOf(files[file])));
      const result = await run(files);
      assert.ok(!result.ok, "the file was taken");
      const lines = result.error.map(problemLine);
      assert.ok(
        lines.some((line) => problem.test(line)),
        lines.join("\n"),
      );
      assert.equal(packs.newestNumber(), null);
      assert.equal(folder.db.prepare("select count(*) as count from document").get()?.["count"], 0);
      assert.equal(folder.db.prepare("select count(*) as count from person").get()?.["count"], 0);
    });
  }

  test("every bad row of every file, not the first alone", () =>
    withFolder(async (folder) => {
      const files = smallFiles();
      files["goods.csv"] = bytesOf("sku,name,unit,price_rm\n910,,2 liter,x\n1,Chicken,1kg,free\n");
      files["holidays.csv"] = bytesOf("date,name\n31.8.2026,Hari Kebangsaan\n");
      const result = await importer(folder).run(files);
      assert.ok(!result.ok);
      assert.deepEqual(
        result.error.map(({ file, line, column }) => `${file}:${line} ${column}`),
        ["goods.csv:2 name", "goods.csv:2 price_rm", "goods.csv:3 price_rm", "holidays.csv:2 date"],
      );
    }));

  test("a byte that is no UTF-8, with its line", () =>
    withFolder(async (folder) => {
      const files = smallFiles();
      files["holidays.csv"] = new Uint8Array([...bytesOf("date,name\n2026-08-31,"), 0xe9, 0x0a]);
      const result = await importer(folder).run(files);
      assert.ok(!result.ok);
      assert.deepEqual(result.error.map(problemLine), ["holidays.csv:2: is not UTF-8 text"]);
    }));

  test("a file larger than the bound, before it is parsed", () =>
    withFolder(async (folder) => {
      const result = await importer(folder).run({ ...smallFiles(), "goods.csv": new Uint8Array(17_000_000) });
      assert.ok(!result.ok);
      assert.match(result.error.map(problemLine).join(), /^goods\.csv: is larger than 16777216 bytes$/);
    }));

  test("a file that nobody knows, and a first import without its people", () =>
    withFolder(async (folder) => {
      const { "reps.csv": _, ...files } = smallFiles();
      const result = await importer(folder).run({ ...files, "customers.csv": bytesOf("a\n") });
      assert.ok(!result.ok);
      const lines = result.error.map(problemLine);
      assert.ok(lines.some((line) => line.startsWith("customers.csv: no such file")));
      assert.ok(lines.some((line) => line.startsWith("reps.csv: is missing")));
    }));

  test("a form whose questions changed without a new version", () =>
    withFolder(async (folder) => {
      const { run, done } = importer(folder);
      const files = smallFiles();
      await done(files);
      const forms = textOf(files["forms.csv"]);
      const changed = await run({ "forms.csv": bytesOf(forms.replace("b:B:B", "c:C:C")) });
      assert.ok(!changed.ok);
      assert.match(
        changed.error.map(problemLine).join(),
        /forms\.csv:2 version: shelf version 1 was issued with other/,
      );
      await done({ "forms.csv": bytesOf(forms.replaceAll("shelf,1", "shelf,2").replace("b:B:B", "c:C:C")) });
    }));
});

describe("rows that are taken with a warning", () => {
  const warned: [string, string, (text: string) => string, RegExp][] = [
    [
      "a scheme that is not below the list",
      "schemes.csv",
      (t) => t.replace("10.50", "11.00"),
      /^schemes\.csv:2 unit_price_rm: is not below/,
    ],
    [
      "a point without uncertainty",
      "stores.csv",
      (t) => t.replace("4000,", ","),
      /^stores\.csv:2 coord_uncertainty_m: a point without/,
    ],
    [
      "one outlet under two codes",
      "stores.csv",
      (t) => t.replace("Kedai Dua", "KEDAI SATU"),
      /^stores\.csv:3 name: same name/,
    ],
    [
      "one store twice on a day",
      "plans.csv",
      (t) => `${t}R001,+0,1,2,S-1\n`,
      /^plans\.csv:4 store: S-1 is planned twice/,
    ],
  ];
  for (const [title, file, change, warning] of warned) {
    test(title, () =>
      withFolder(async (folder) => {
        const files = smallFiles();
        files[file] = bytesOf(change(textOf(files[file])));
        const summary = await importer(folder).done(files);
        assert.match(summary.warnings.map(problemLine).join("\n"), warning);
      }),
    );
  }

  test("a cell over several lines does not shift the line numbers behind it, nor do a byte order mark and CRLF", () =>
    withFolder(async (folder) => {
      const files = smallFiles();
      const text = '\ufeffsku,name,unit,price_rm\r\n1,"a\nb",1kg,1.00\r\n\r\n2,x,1kg,bad\r\n';
      const result = await importer(folder).run({
        ...files,
        "schemes.csv": bytesOf("scheme,sku,from_quantity,unit_price_rm,from,to\n"),
        "goods.csv": bytesOf(text),
      });
      assert.ok(!result.ok);
      assert.deepEqual(
        result.error.map(({ line, column }) => `${line} ${column}`),
        ["2 name", "5 price_rm"],
      );
    }));
});
