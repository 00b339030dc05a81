import type { RawWriter } from "./raw-writer.ts";
import { deflateBomb, runLengthBomb } from "./hostile-changes.ts";
import { actorOf, pushChanges, storeDocumentId, type StoreMaster } from "./store-masters.ts";

/** A rep with an outlet that is stored at the relay, and an outlet that is not the rep's to see. */
export interface Scene {
  readonly rep: RawWriter;
  readonly outlet: StoreMaster;
  readonly foreign: Pick<StoreMaster, "doc" | "key">;
}

/** One way in which a device can push what it must not, and the code with which it is refused. */
export interface HostilePush {
  readonly what: string;
  readonly code: string;
  /** Honest changes that are stored on the way to the refusal. */
  readonly stores?: number;
  /** Makes a new one each time. The last push meets the refusal; those before it lead there. */
  readonly pushes: (scene: Scene) => readonly { doc: string; key: string; kind?: string; bytes: Uint8Array }[];
}

const BOMB_OPERATIONS = 400_000;
const BOMB_BYTES = 60_000_000;
const NOBODY = "ab".repeat(16);

type Op = Record<string, unknown>;
const setName: Op = { action: "set", obj: "_root", key: "name", value: "Forged", pred: [] };
const setCreditLimit: Op = { action: "set", obj: "_root", key: "creditLimitSen", value: 1, datatype: "int", pred: [] };

/** A push into the rep's own outlet. */
const into = (outlet: StoreMaster, bytes: Uint8Array) => ({ doc: outlet.doc, key: outlet.key, bytes });
const forged = (ops: readonly Op[], change: (scene: Scene) => Readonly<Record<string, unknown>> = () => ({})) =>
  ((scene) => [into(scene.outlet, scene.outlet.forge(ops, change(scene)))]) satisfies HostilePush["pushes"];
const signedAs = (who: Readonly<Record<string, string>>) =>
  forged([setName], ({ rep: { rep, device } }) => ({
    message: JSON.stringify({ by: rep, role: "rep", device, ...who }),
  }));

let never = 0;
/** A key that no document has. */
function unusedKey(): string {
  never += 1;
  return `never-${never}`;
}

export const hostilePushes: readonly HostilePush[] = [
  { what: "a change in another person's name", code: "change.author", pushes: signedAs({ by: "R999" }) },
  { what: "a change in a role that its author has not", code: "change.author", pushes: signedAs({ role: "hq" }) },
  {
    what: "a change in a device's name that nobody enrolled",
    code: "change.author",
    pushes: signedAs({ device: "x" }),
  },
  { what: "a field that the role may not change", code: "change.field", pushes: forged([setCreditLimit]) },
  {
    what: "a forbidden change behind a withheld dependency",
    code: "change.field",
    stores: 1,
    pushes: ({ outlet }) => {
      const withheld = outlet.write([{ field: "town", value: `Town ${outlet.nextSeq}` }]);
      return [into(outlet, outlet.forge([setCreditLimit])), into(outlet, withheld)];
    },
  },
  {
    what: "an id that is not of the key",
    code: "doc.id",
    pushes: ({ rep, outlet }) => [
      { ...into(outlet, outlet.forge([setName])), doc: storeDocumentId(rep.workspace, unusedKey()) },
    ],
  },
  {
    what: "a kind that does not exist",
    code: "doc.unknown-kind",
    pushes: ({ outlet }) => [{ ...into(outlet, outlet.forge([setName])), kind: "price" }],
  },
  {
    what: "an id that nobody made",
    code: "doc.unknown",
    pushes: ({ rep, outlet }) => {
      const key = unusedKey();
      return [{ doc: storeDocumentId(rep.workspace, key), key, bytes: outlet.forge([setName]) }];
    },
  },
  {
    what: "a document out of scope",
    code: "doc.scope",
    pushes: ({ outlet, foreign: { doc, key } }) => [{ doc, key, bytes: outlet.forge([setName]) }],
  },
  {
    what: `a run-length bomb of ${BOMB_OPERATIONS} operations`,
    code: "change.operations",
    pushes: ({ rep, outlet }) => [into(outlet, runLengthBomb(actorOf(rep.device), BOMB_OPERATIONS))],
  },
  {
    what: `a DEFLATE bomb of ${BOMB_BYTES / 1_000_000} MB`,
    code: "change.oversized",
    pushes: ({ outlet }) => [into(outlet, deflateBomb(BOMB_BYTES))],
  },
  {
    what: "bytes that are no change",
    code: "change.malformed",
    pushes: ({ outlet }) => [into(outlet, new Uint8Array(500).fill(7))],
  },
  {
    what: "a number of the author's again with other content",
    code: "change.sequence",
    pushes: forged([setName], () => ({ seq: 1 })),
  },
  {
    what: "a gap in the author's numbers",
    code: "change.sequence",
    pushes: forged([setName], ({ outlet }) => ({ seq: outlet.nextSeq + 1 })),
  },
  {
    what: "a first operation that is too low",
    code: "change.sequence",
    pushes: forged([setName], () => ({ startOp: 3 })),
  },
  {
    what: "an object that is not there",
    code: "change.reference",
    pushes: forged([{ ...setName, obj: `7@${NOBODY}`, key: "1047" }]),
  },
  {
    what: "a predecessor that is not there",
    code: "change.reference",
    pushes: forged([{ ...setName, pred: [`3@${NOBODY}`] }]),
  },
  {
    what: "an object in the place of a value",
    code: "change.shape",
    pushes: forged([{ action: "makeMap", obj: "_root", key: "town", pred: [] }]),
  },
  {
    what: "a field that the schema does not know",
    code: "change.schema",
    pushes: forged([{ ...setName, key: "nothing" }]),
  },
  {
    what: "a change dated an hour ahead",
    code: "change.time",
    pushes: forged([setName], () => ({ time: Date.now() + 3_600_000 })),
  },
];

/** Pushes a hostile change to its end; answers the code with which it was refused, or what was answered instead. */
export async function refusalOf(hostile: HostilePush, scene: Scene): Promise<string> {
  let answer: Record<string, unknown> | null = null;
  for (const { bytes, ...document } of hostile.pushes(scene)) answer = await pushChanges(scene.rep, document, [bytes]);
  const [refused] = (answer?.["refused"] as { code: string }[] | undefined) ?? [];
  return refused?.code ?? codeIn(answer);
}

/** The code of a refusal; whatever else came instead, as it came. */
export function codeIn(answer: Record<string, unknown> | null | undefined): string {
  const code = answer?.["code"];
  return typeof code === "string" ? code : JSON.stringify(answer);
}
