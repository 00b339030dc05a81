import { kindByName } from "../events/kinds/index.ts";
import { fail, pass, type Policy } from "./policy.ts";

/** The kind is known here, its body has the shape of its kind, and a visit's event names its visit and store. */
export const bodyFits: Policy = {
  name: "body-fits",
  version: 1,
  label: { en: "Readable content", ms: "Kandungan boleh dibaca" },
  applies: () => true,
  judge: (event) => {
    const kind = kindByName(event.kind);
    if (kind === undefined) {
      return fail(
        { kind: event.kind },
        `This relay does not know events of kind ${event.kind}.`,
        `Pelayan ini tidak mengenali peristiwa jenis ${event.kind}.`,
      );
    }
    const parsed = kind.body.safeParse(event.body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const at = issue === undefined || issue.path.length === 0 ? "body" : issue.path.join(".");
      const problem = (issue?.message ?? "").slice(0, 200);
      return fail(
        { kind: event.kind, at, problem },
        `${kind.label.en}: ${at} does not fit (${problem}).`,
        `${kind.label.ms}: ${at} tidak sah (${problem}).`,
      );
    }
    if (kind.inVisit && (event.visit === null || event.store === null)) {
      return fail(
        { kind: event.kind, visit: event.visit, store: event.store },
        `${kind.label.en} belongs to a visit, but names no visit or no store.`,
        `${kind.label.ms} mesti ada lawatan dan kedai, tetapi tidak dinyatakan.`,
      );
    }
    return pass({ kind: event.kind }, "The content fits its kind.", "Kandungan sepadan dengan jenisnya.");
  },
};
