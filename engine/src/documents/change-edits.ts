import * as A from "@automerge/automerge/slim";
import { err, ok, type Result } from "../core/result.ts";
import type { Refusal } from "../wire/refusals.ts";
import type { DocumentKind, Scalar } from "./documents.ts";
import { mayEdit, misfit, misfitRow, progress, type FieldDefinition } from "./field.ts";
import { containersOf, isSchemaActor } from "./genesis.ts";
import { documentKinds } from "./kinds.ts";

/** What a change does to one field, read from its operations alone. */
export type WrittenField =
  | {
      readonly field: string;
      readonly row: string | null;
      readonly does: "set";
      readonly value: Scalar;
      readonly empty: boolean;
    }
  | { readonly field: string; readonly row: null; readonly does: "increment"; readonly by: number }
  /** Characters that the change puts into and takes out of a text. */
  | {
      readonly field: string;
      readonly row: null;
      readonly does: "text";
      readonly inserted: string;
      readonly removed: number;
    };

/**
 * Reads which fields a change writes, without the document: the objects of a kind are constant. Refuses what breaks the
 * shape rules (a new object, a deletion, a whole column, text or counter overwritten, a counter decremented) and what
 * is no field of the kind. `empty` on a set says that it replaces nothing but the schema's own null.
 */
export function readEdits(kind: DocumentKind, change: A.DecodedChange): Result<readonly WrittenField[], Refusal> {
  const { fields } = documentKinds[kind];
  const containers = containersOf(kind);
  const written: WrittenField[] = [];
  const texts = new Map<string, { inserted: string; removed: number }>();
  for (const op of change.ops) {
    const inRoot = op.obj === "_root";
    const name = inRoot ? op.key : containers.get(op.obj);
    const definition = name !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (inRoot && (name === "kind" || name === "key"))
      return err({ code: "doc.id", detail: `${name} is written once` });
    if (name === undefined || definition === undefined) {
      if (!inRoot && name === undefined) return err({ code: "change.reference", detail: `no object ${op.obj}` });
      return err({ code: "change.schema", detail: `no field ${String(name).slice(0, 80)}` });
    }
    const broken = (what: string) => err({ code: "change.shape", detail: `${what} (${name})` } as const);
    if (definition.type === "text") {
      if (inRoot) return broken("a text is replaced as a whole");
      const edit = texts.get(name) ?? { inserted: "", removed: 0 };
      texts.set(name, edit);
      if (op.action === "del") edit.removed += 1;
      else if (op.action === "set" && (op as { insert?: boolean }).insert === true && typeof op.value === "string")
        edit.inserted += op.value;
      else return broken(`a text holds only characters, not ${op.action}`);
      continue;
    }
    if (definition.column === inRoot) return broken("a column is written by its rows");
    if (op.action === "inc" && definition.type === "counter") {
      if (typeof op.value !== "number" || op.value < 0) return broken("a counter only goes up");
      written.push({ field: name, row: null, does: "increment", by: op.value });
      continue;
    }
    if (op.action !== "set") return broken(`${op.action} is no way to write a field`);
    if (definition.type === "counter") return broken("a counter is only incremented");
    if (op.datatype === "counter" || op.datatype === "timestamp" || (op.value as unknown) instanceof Uint8Array) {
      return err({ code: "change.schema", detail: `${name}: a ${op.datatype ?? "bytes"} is no value of a field` });
    }
    const empty = op.pred.every((pred) => isSchemaActor(pred.split("@")[1] ?? ""));
    const value = op.value ?? null;
    written.push({ field: name, row: inRoot ? null : op.key, does: "set", value, empty });
  }
  for (const [field, edit] of texts) written.push({ field, row: null, does: "text", ...edit });
  return ok(written);
}

/** Why this role may not make this edit, or the value does not fit; null where nothing speaks against it. */
export function judgeEdit(kind: DocumentKind, edit: WrittenField, role: string): Refusal | null {
  const definition = documentKinds[kind].fields[edit.field] as FieldDefinition;
  const empty = edit.does === "set" && edit.empty;
  const where = edit.row === null ? edit.field : `${edit.field}/${edit.row}`;
  if (!mayEdit(definition, role, empty)) return { code: "change.field", detail: `${where} by ${role}` };
  if (edit.does !== "set") return null;
  const wrong = misfitRow(definition, edit.row ?? undefined) ?? misfit(definition, edit.value);
  return wrong === null ? null : { code: "change.schema", detail: `${where}: ${wrong}` };
}

/** Whether writing `to` over `from` takes a monotone field back. */
export function goesBack(definition: FieldDefinition, from: Scalar, to: Scalar): boolean {
  return definition.monotone && progress(definition, to) < progress(definition, from);
}
