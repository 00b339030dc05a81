import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { buildApp } from "./built-app.ts";
import { startChromium } from "./chromium.ts";
import { startRelay, type Relay } from "./relay-process.ts";

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1_280, height: 800 };
const PHOTO = path.join(import.meta.dirname, "../../sync-server/demo/photos/train_Oatly-Oat-Milk_004.jpg");
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let folder: string;
let relay: Relay;
let browser: Browser;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-screens-"));
  const app = path.join(folder, "app");
  const [started] = await Promise.all([startChromium(), buildApp(app)]);
  browser = started;
  relay = await startRelay(path.join(folder, "relay"), app);
});

after(async () => {
  await browser?.close();
  await relay?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors that the page did not catch: none is expected, ever. */
  readonly errors: string[];
}

/** Opens a browser profile of its own and joins with a fresh link. */
async function join(code: string, name: string, viewport: { width: number; height: number }): Promise<Person> {
  const context = await browser.newContext({
    viewport,
    locale: "en-MY",
    permissions: ["geolocation"],
    geolocation: { latitude: 2.7297, longitude: 101.9381, accuracy: 14 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(await relay.link(code));
  await page.getByRole("button", { name: "Join on this phone" }).click();
  await page.getByText(`You are ${name}`).waitFor();
  await page.getByRole("button", { name: "Start" }).click();
  return { context, page, errors };
}

/** No barrier that axe knows of stands on this screen; `$SCREENSHOTS` names a folder that gets a picture of it. */
async function look({ page }: Pick<Person, "page">, screen: string): Promise<void> {
  const pictures = process.env["SCREENSHOTS"];
  if (pictures !== undefined && pictures !== "") await page.screenshot({ path: path.join(pictures, `${screen}.png`) });
  const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" ")}`);
  assert.deepEqual(found, [], screen);
}

/** The service worker has the whole app, so that the page opens without a network. */
async function readyForOffline({ page }: Person): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

const strip = (page: Page) => page.locator(".strip");

test("a rep works a whole visit without signal, also across a reload, and HQ's board shows the order by itself when the signal returns", async () => {
  const rep = await join("R001", "Aishah", PHONE);
  const hq = await join("H001", "Amir", DESK);
  const { page, context } = rep;
  const row = hq.page.locator('tr[data-rep="R001"]');
  await row.waitFor();

  await page.getByRole("button", { name: "Start the day" }).click();
  await page.getByText("Day started").waitFor();
  await page.locator(".stop-number").first().waitFor();
  await strip(page).getByText("Everything is at HQ").waitFor();
  await readyForOffline(rep);
  await look(rep, "today");
  await look(hq, "board-before");

  await context.setOffline(true);
  await page.locator(".row").first().click();
  await page.getByRole("button", { name: "Check in here" }).waitFor();
  await look(rep, "check-in");
  await page.getByRole("button", { name: "Check in here" }).click();
  await page.getByRole("link", { name: "Write an order" }).click();
  await page.getByLabel("Find goods by name or code").fill("milo");
  const first = page.locator(".good").first();
  await first.getByRole("button", { name: /^One more/ }).click();
  await first.getByRole("button", { name: /^One more/ }).click();
  await page.getByLabel("Find goods by name or code").fill("");
  await page.locator(".good").nth(1).getByRole("textbox").fill("5");
  await page.getByText("2 goods").waitFor();
  await look(rep, "order");

  // The half-written order outlives a reload without a network.
  await page.reload();
  await page.getByText("2 goods").waitFor();
  const total = await page.locator(".sticky-foot .strong").textContent();
  await page.getByRole("button", { name: "Place the order" }).click();
  await page.getByRole("link", { name: "Write another order" }).waitFor();

  await page.locator("[data-photo-input]").setInputFiles(PHOTO);
  await page.getByRole("img", { name: "Photo 1: Shelf" }).waitFor();
  await page.getByLabel("Notes").fill("Owner asks for the poster.");
  await page.getByLabel("Notes").blur();
  await page.getByText("Saved on this phone").last().waitFor();
  await look(rep, "visit");

  await page.getByRole("link", { name: "Fill in" }).click();
  await page.getByRole("button", { name: "Submit the audit" }).click();
  await page.getByText("Answer this first.").first().waitFor();
  await look(rep, "audit");
  await answerAudit(page);
  await page.getByRole("button", { name: "Submit the audit" }).click();
  await page.getByText(/Submitted/).waitFor();

  await page.getByRole("link", { name: "Check out" }).click();
  await page.getByRole("radio", { name: "Ordered", exact: true }).waitFor();
  await look(rep, "check-out");
  await page.getByRole("button", { name: "Check out" }).click();
  await page.getByText("1 of").waitFor();

  await page.reload();
  await page.getByText("1 of").waitFor();
  // After the reload this browser claims to have a network again: the strip says what it owes all the same.
  await strip(page)
    .getByText(/on this phone, oldest .*(waiting for signal|trying again soon|next try)/)
    .waitFor();
  await page.getByRole("link", { name: "Sync" }).click();
  await page.getByRole("tab", { name: /^Waiting/ }).click();
  await page.getByText(`Order · ${total}`).waitFor();
  await page.getByText("0 B of 50 MB of mobile data for photos used today").waitFor();
  await page.getByText(/^1 photo, \d+ kB: /).waitFor();
  await look(rep, "sync-waiting");
  assert.equal(await row.locator('[data-label="Orders"]').textContent(), "0");

  await context.setOffline(false);
  await strip(page).getByText("Everything is at HQ").waitFor({ timeout: 40_000 });
  await hq.page.waitForFunction(
    () => document.querySelector('tr[data-rep="R001"] [data-label="Orders"]')?.textContent === "1",
  );
  assert.equal(await row.locator('[data-label="Value"]').textContent(), total);
  await look(hq, "board-after");
  await row.getByRole("link", { name: "Aishah" }).click();
  await hq.page.getByRole("img", { name: /^Shelf at/ }).waitFor();
  await look(hq, "rep-at-hq");
  await hq.page.setViewportSize(PHONE);
  await look(hq, "rep-at-hq-phone");
  await hq.page.getByRole("button", { name: "Back" }).click();
  await row.waitFor();
  await look(hq, "board-phone");

  await page.getByRole("tab", { name: /^At HQ/ }).click();
  await page.getByText(`Order · ${total}`).waitFor();
  await look(rep, "sync-at-hq");
  await page
    .getByRole("listitem")
    .filter({ hasText: `Order · ${total}` })
    .getByRole("link")
    .click();
  await page.getByText("Received at HQ").waitFor();
  await look(rep, "order-at-hq");

  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("link", { name: "Day end" }).click();
  await page.getByText("You can switch off.").waitFor();
  await page.getByRole("button", { name: "End the day" }).click();
  await page.getByRole("button", { name: "Close the day" }).click();
  await page.getByText("The day is closed.").waitFor();
  await page.getByText("HQ's certificate for today").waitFor();
  await look(rep, "day-end");
  await page.getByRole("link", { name: "Me" }).click();
  await page.getByRole("radio", { name: "Bahasa Malaysia" }).check();
  await page.getByRole("heading", { name: "Saya" }).waitFor();
  await look(rep, "me");
  assert.deepEqual([...rep.errors, ...hq.errors], []);
  await Promise.all([context.close(), hq.context.close()]);
});

/** Answers whatever the workspace's form asks. */
async function answerAudit(page: Page): Promise<void> {
  for (const group of await page.getByRole("group").all()) await group.locator(".choice").first().click();
  for (const field of await page.locator('input[inputmode="numeric"]').all()) await field.fill("4");
}

test("two people edit a store at once: both see both values and why one won, and either can decide otherwise", async () => {
  const rep = await join("R003", "Kavitha", PHONE);
  const supervisor = await join("S001", "Zainab", DESK);
  await supervisor.page.getByLabel("Find a store").waitFor();
  await look(supervisor, "territory");
  await rep.page.getByRole("button", { name: "Start the day" }).waitFor();
  await rep.page.locator(".stop-number").first().waitFor();

  const store = "/store/S-0001";
  await supervisor.page.goto(relay.url + store);
  await rep.page.goto(relay.url + store);
  await rep.page.getByRole("button", { name: "Edit Name" }).waitFor();
  await supervisor.page.getByRole("button", { name: "Edit Name" }).waitFor();

  // Each sees that the other is here.
  await rep.page.getByText("Zainab is here").waitFor();
  await supervisor.page.getByText("Kavitha is here").waitFor();
  await rep.page.getByRole("button", { name: "Edit Town" }).click();
  await supervisor.page.getByText("Kavitha is editing Town").waitFor();
  await rep.page.keyboard.press("Escape");
  await supervisor.page.getByText("Kavitha is here").waitFor();

  // Live: what one writes, the other reads, without a reload.
  await supervisor.page.getByLabel("Notes").fill("Deliver at the back door.");
  await supervisor.page.getByLabel("Notes").blur();
  await rep.page.waitForFunction(() => document.querySelector("textarea")?.value === "Deliver at the back door.");

  // Both lose the signal; both change the name, and each another field.
  for (const { context } of [rep, supervisor]) await context.setOffline(true);
  await edit(rep.page, "Name", "AEON SEREMBAN TWO");
  await edit(rep.page, "Postcode", "71200");
  await edit(supervisor.page, "Name", "AEON BIG SEREMBAN 2");
  await edit(supervisor.page, "Address", "Lot 1, Jalan Seremban Dua");
  for (const { page } of [rep, supervisor]) {
    await page.getByText("Edits wait on this phone").waitFor();
    await page.getByText(/ is here$/).waitFor({ state: "detached" });
    assert.equal(await page.getByRole("article").count(), 0, "nobody knows yet that they disagree");
  }
  await look(supervisor, "store");
  for (const { context } of [rep, supervisor]) await context.setOffline(false);

  for (const { page } of [rep, supervisor]) {
    const card = page.getByRole("article", { name: "Name" });
    await card.waitFor({ timeout: 40_000 });
    await card.getByText("AEON SEREMBAN TWO").waitFor();
    await card.getByText("AEON BIG SEREMBAN 2").waitFor();
    await card.getByText("Kavitha · Rep").waitFor();
    await card.getByText("Zainab · Supervisor").waitFor();
    await card.getByText(/^The value of Zainab \(supervisor\) is kept over what Kavitha \(rep\) wrote: /).waitFor();
  }
  await rep.page.getByText("Zainab is here").waitFor();
  await supervisor.page.getByText("Kavitha is here").waitFor();
  const [seenByRep, seenBySupervisor] = [await fieldsOn(rep.page), await fieldsOn(supervisor.page)];
  assert.deepEqual(seenByRep, seenBySupervisor);
  const expected = { Name: "AEON BIG SEREMBAN 2", Postcode: "71200", Address: "Lot 1, Jalan Seremban Dua" };
  for (const [field, value] of Object.entries(expected)) assert.equal(seenByRep[field], value);
  for (const { page } of [rep, supervisor]) await page.getByText(/ is here$/).scrollIntoViewIfNeeded();
  await look(supervisor, "store-conflict");
  await look(rep, "store-conflict-phone");
  await supervisor.page.getByRole("button", { name: "Use this value instead" }).click();
  await supervisor.page.getByRole("article").waitFor({ state: "detached" });
  await rep.page.getByRole("article").waitFor({ state: "detached" });
  const names = await Promise.all(
    [rep, supervisor].map(({ page }) => page.getByRole("heading", { level: 1 }).textContent()),
  );
  assert.equal(names[0], names[1]);

  await supervisor.page.getByRole("button", { name: "Edit Status" }).click();
  await supervisor.page.getByRole("dialog").waitFor();
  await look(supervisor, "store-edit");
  await supervisor.page.keyboard.press("Escape");

  // The outlet turns out to be recorded twice: the duplicate leads to the other record, on both devices.
  await supervisor.page.getByText("More", { exact: true }).first().click();
  await edit(supervisor.page, "Merged into", "S-0002");
  for (const { page } of [rep, supervisor]) await page.getByText("This outlet was recorded twice.").waitFor();
  await look(rep, "store-merged-phone");
  await rep.page.getByRole("link", { name: /^Open / }).click();
  await rep.page.getByText("S-0002", { exact: true }).first().waitFor();
  assert.deepEqual([...rep.errors, ...supervisor.errors], []);
  await Promise.all([rep.context.close(), supervisor.context.close()]);
});

test("an edit of a store that HQ deleted meanwhile is shown to its author with its value, and is put away by the author alone", async () => {
  const rep = await join("R004", "Farid", PHONE);
  await rep.page.getByRole("button", { name: "Start the day" }).waitFor();
  await rep.page.locator(".stop-number").first().waitFor();
  await rep.page.goto(`${relay.url}/store/S-0017`);
  await rep.page.getByRole("button", { name: "Edit Town" }).waitFor();
  await rep.context.setOffline(true);
  await edit(rep.page, "Town", "Nilai");
  await relay.bury("S-0017");
  await rep.context.setOffline(false);
  await rep.page.getByText("This store is not on this phone.").waitFor({ timeout: 40_000 });
  await rep.page.locator(".strip").click();
  await rep.page.getByText("HQ did not take this change: the record was deleted meanwhile.").waitFor();
  await rep.page.getByText("“Nilai”").waitFor();
  await look(rep, "needs-you-phone");
  await rep.page.getByRole("tabpanel").getByRole("button").first().click();
  await rep.page.getByText("“Nilai”").waitFor({ state: "detached" });
  assert.deepEqual(rep.errors, []);
  await rep.context.close();
});

async function edit(page: Page, field: string, value: string): Promise<void> {
  await page.getByRole("button", { name: `Edit ${field}` }).click();
  await page.getByRole("dialog").getByLabel(field).fill(value);
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Every field of a store's screen with its value. */
async function fieldsOn(page: Page): Promise<Record<string, string>> {
  const rows = await page.locator(".rows > li").all();
  const texts = rows.map(async (row) => [
    await row.locator(".soft").first().textContent(),
    await row.locator(".strong").first().textContent(),
  ]);
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}

test("a used link, a second tab and a stranger's address each get a sentence, and nothing is lost", async () => {
  const context = await browser.newContext({ viewport: PHONE, locale: "en-MY" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(relay.url);
  await page.getByLabel("Enrolment link").fill("hello world");
  await page.getByRole("button", { name: "Join on this phone" }).click();
  await page.getByText("This is not an enrolment link.").waitFor();
  await look({ page }, "enrol-problem");
  const link = await relay.link("R002");
  await page.getByLabel("Enrolment link").fill(link);
  await page.getByRole("button", { name: "Join on this phone" }).click();
  await page.getByText("You are Wei Ling").waitFor();
  await look({ page }, "enrolled");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("button", { name: "Start the day" }).waitFor();

  const second = await context.newPage();
  second.setDefaultTimeout(20_000);
  await second.goto(relay.url);
  await second.getByRole("heading", { name: "Open in another tab" }).waitFor();
  await look({ page: second }, "second-tab");
  await second.getByRole("button", { name: "Use it here" }).click();
  await second.getByRole("button", { name: "Start the day" }).waitFor();
  await page.getByRole("heading", { name: "Moved to another tab" }).waitFor();

  const other = await browser.newContext({ locale: "en-MY" });
  const stranger = await other.newPage();
  await stranger.goto(link);
  await stranger.getByRole("button", { name: "Join on this phone" }).click();
  await stranger.getByText("This link was used already").waitFor();
  await Promise.all([context.close(), other.close()]);
});
