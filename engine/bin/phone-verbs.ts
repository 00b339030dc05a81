import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import {
  BrokenPromise,
  daySentence,
  err,
  eventKinds,
  laneNames,
  ok,
  placeSchema,
  sinceLastClose,
  type Engine,
  type HeldDay,
  type Result,
} from "../src/index.ts";

/** What a verb answers: its value, or a code with the reason. */
export type Answer = Result<unknown, { readonly code: string; readonly detail?: string }>;

const kind = z.enum(["store", "visit", "plan"]);
const key = z.string().min(1).max(200);
const field = z.string().max(100);
const edits = z
  .array(
    z.union([
      z.strictObject({
        field,
        key: z.string().optional(),
        set: z.union([z.string(), z.number(), z.boolean(), z.null()]),
      }),
      z.strictObject({ field, key: z.string().optional(), increment: z.number() }),
      z.strictObject({ field, at: z.int().min(0), remove: z.int().min(0), insert: z.string() }),
    ]),
  )
  .max(1_000);
const eventKind = z.enum(Object.keys(eventKinds) as [keyof typeof eventKinds, ...(keyof typeof eventKinds)[]]);
const placed = { place: placeSchema.nullable().optional() };

const POLL_MS = 20;
const DRAIN_MS = 60_000;

/** Every line that the phone understands, by its `do`. */
const verbs = {
  draft: verb(z.strictObject({ form: z.string().max(500) }), async (engine, { form }) =>
    ok({ id: await engine.facts.draft(form) }),
  ),
  capture: verb(
    z.strictObject({
      kind: eventKind,
      body: z.unknown(),
      id: z.uuid().optional(),
      visit: z.uuid().nullable().optional(),
      store: z.string().max(60).nullable().optional(),
      storeHeads: z.array(z.string()).optional(),
      ...placed,
    }),
    // The body is checked by its kind, where every other caller's is too.
    (engine, input) => engine.facts.capture(present(input) as Parameters<Engine["facts"]["capture"]>[0]),
  ),
  photo: verb(
    z.strictObject({
      file: z.string(),
      id: z.uuid().optional(),
      visit: z.uuid(),
      store: z.string().max(60),
      purpose: z.enum(["shelf", "storefront", "competitor", "damage", "other"]),
      ...placed,
    }),
    async (engine, { file, ...input }) => {
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await readFile(file));
      } catch (error) {
        return err({ code: "photo.file", detail: String(error) });
      }
      return engine.photos.capture(present({ ...input, bytes }) as Parameters<Engine["photos"]["capture"]>[0]);
    },
  ),
  edit: verb(z.strictObject({ kind, key, edits }), (engine, input) =>
    engine.documents.edit(input.kind, input.key, input.edits as Parameters<Engine["documents"]["edit"]>[2]),
  ),
  create: verb(z.strictObject({ kind, key, edits }), (engine, input) =>
    engine.documents.create(input.kind, input.key, input.edits as Parameters<Engine["documents"]["create"]>[2]),
  ),
  view: verb(z.strictObject({ kind, key }), (engine, input) => engine.documents.view(input.kind, input.key)),
  explain: verb(z.strictObject({ kind, key, field, row: z.string().optional() }), (engine, input) =>
    engine.documents.explain(input.kind, input.key, input.field, input.row),
  ),
  list: verb(z.strictObject({ kind }), async (engine, input) => ok(engine.documents.list(input.kind))),
  "needs-you": verb(z.strictObject({}), async (engine) => ok(engine.documents.needsYou())),
  status: verb(z.strictObject({}), async (engine) => ok(engine.status())),
  attempts: verb(z.strictObject({}), async (engine) => ok(engine.attempts())),
  events: verb(z.strictObject({}), async (engine) => ok(engine.facts.list())),
  photos: verb(z.strictObject({}), async (engine) =>
    ok(
      await Promise.all(
        engine.photos.list().map(async (photo) => ({
          ...photo,
          previewBytes: (await engine.photos.preview(photo.id))?.length ?? 0,
        })),
      ),
    ),
  ),
  day: verb(z.strictObject({ day: z.iso.date().optional() }), async (engine, { day }) => {
    const held = engine.days.of(day ?? engine.today());
    return ok(held === undefined ? null : spoken(held));
  }),
  "close-day": verb(z.strictObject({ day: z.iso.date().optional(), ...placed }), (engine, { day, place = null }) =>
    engine.facts.capture({
      kind: "dayClosed",
      body: { day: day ?? engine.today(), ...sinceLastClose(engine.facts.list()) },
      place,
    }),
  ),
  pack: verb(z.strictObject({}), async (engine) => ok(engine.reference.current())),
  rescue: verb(z.strictObject({ file: z.string().min(1) }), async (engine, { file }) => {
    const { bytes, ...counts } = await engine.rescue();
    try {
      // A file that is there already is somebody's queue: never written over.
      await writeFile(file, bytes, { flag: "wx", mode: 0o600 });
    } catch (error) {
      return err({ code: "rescue.file", detail: String(error) });
    }
    return ok({ file, bytes: bytes.length, ...counts });
  }),
  "go-online": verb(z.strictObject({}), async (engine) => {
    engine.goOnline();
    return ok(null);
  }),
  "go-offline": verb(z.strictObject({}), async (engine) => {
    engine.goOffline();
    return ok(null);
  }),
  "network-changed": verb(z.strictObject({}), async (engine) => {
    engine.networkChanged();
    return ok(null);
  }),
  drain: verb(
    z.strictObject({
      lanes: z.array(z.enum(laneNames)).default([...laneNames]),
      timeoutMs: z.number().min(0).max(3_600_000).default(DRAIN_MS),
    }),
    async (engine, { lanes, timeoutMs }) => {
      const untilMs = performance.now() + timeoutMs;
      while (!lanes.every((lane) => engine.isEmpty(lane))) {
        const { link, refusal, queue } = engine.status();
        if (link === "refused" && refusal !== null) return err(refusal);
        if (performance.now() >= untilMs)
          return err({ code: "drain.timeout", detail: JSON.stringify({ link, queue }) });
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return ok(engine.status());
    },
  ),
};

/** A certificate with its sentence, and what proves it. */
export function spoken({ certificate, signature, position }: HeldDay): object {
  const hex = Buffer.from(signature).toString("hex");
  return { sentence: daySentence(certificate), position, signature: hex, certificate };
}

const line = z.looseObject({ n: z.union([z.number(), z.string()]).optional(), do: z.string() });

/** Does what one line says. Bad input gets a code and changes nothing. */
export async function doLine(engine: Engine, text: string): Promise<{ n: unknown; verb: string; answer: Answer }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { n: null, verb: "", answer: err({ code: "request.malformed", detail: "not JSON" }) };
  }
  const read = line.safeParse(value);
  if (!read.success)
    return { n: null, verb: "", answer: err({ code: "request.malformed", detail: "a line is {n, do, …}" }) };
  const { n = null, do: name, ...input } = read.data;
  if (name === "quit") return { n, verb: name, answer: ok(null) };
  if (!Object.hasOwn(verbs, name)) {
    const known = [...Object.keys(verbs), "quit"].join(", ");
    return { n, verb: name, answer: err({ code: "request.unknown", detail: `known are ${known}` }) };
  }
  try {
    return { n, verb: name, answer: await verbs[name as keyof typeof verbs](engine, input) };
  } catch (error) {
    if (error instanceof BrokenPromise) throw error;
    // A full or failing disk: nothing was saved, and the phone goes on.
    return { n, verb: name, answer: err({ code: "phone.storage", detail: String(error) }) };
  }
}

function verb<S extends z.ZodType>(schema: S, run: (engine: Engine, input: z.infer<S>) => Promise<Answer>) {
  return async (engine: Engine, input: unknown): Promise<Answer> => {
    const read = schema.safeParse(input);
    if (!read.success) {
      const issue = read.error.issues[0];
      const detail = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
      return err({ code: "request.malformed", detail });
    }
    return run(engine, read.data);
  };
}

/** Without the keys whose value is undefined. */
function present(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}
