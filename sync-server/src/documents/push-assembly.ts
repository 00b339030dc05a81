import { err, ok, type Result } from "@sampai/engine";
import { limits, type PhoneMessage, type Refusal } from "@sampai/engine/wire";

export type PushMessage = Extract<PhoneMessage, { type: "push" }>;

export interface WholePush {
  readonly n: number;
  readonly doc: string;
  readonly kind: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  /** What the importer has written by this, by field or `field/row`, as JSON. */
  readonly imported?: Readonly<Record<string, string>>;
}

/** Bytes of unfinished pushes that one connection may have here. */
const UNFINISHED_BYTES = 4 * limits.pushBytes;

/** Puts the pieces of one connection's pushes together, within bounds. */
export class PushAssembly {
  private readonly unfinished = new Map<
    number,
    { doc: string; kind: string; key: string; pieces: Uint8Array[]; bytes: number }
  >();
  /** Refused pushes whose last piece is still on its way: their pieces are dropped. */
  private readonly refused = new Set<number>();
  private bytes = 0;

  /** The whole push where this piece was the last, null where more is to come or the push was refused before. */
  take(message: PushMessage): Result<WholePush | null, Refusal> {
    const { n, doc, kind, key, piece, more } = message;
    if (this.refused.has(n)) {
      if (!more) this.refused.delete(n);
      return ok(null);
    }
    const push = this.unfinished.get(n) ?? { doc, kind, key, pieces: [], bytes: 0 };
    if (push.doc !== doc || push.kind !== kind || push.key !== key) {
      return this.refuse(message, { code: "frame.malformed", detail: "the pieces of a push are about one document" });
    }
    if (piece.length > limits.pieceBytes) return this.refuse(message, { code: "change.oversized", detail: "a piece" });
    push.pieces.push(piece);
    push.bytes += piece.length;
    this.bytes += piece.length;
    this.unfinished.set(n, push);
    if (push.bytes > limits.pushBytes) return this.refuse(message, { code: "change.oversized", detail: "a push" });
    if (more) {
      const tooMuch = this.bytes > UNFINISHED_BYTES || this.unfinished.size > 64;
      return tooMuch ? this.refuse(message, { code: "frame.rate", detail: "unfinished pushes" }) : ok(null);
    }
    this.forget(n);
    return ok({ n, doc, kind, key, bytes: Buffer.concat(push.pieces) });
  }

  private refuse(message: PushMessage, refusal: Refusal): Result<never, Refusal> {
    this.forget(message.n);
    if (message.more && this.refused.size < 1_000) this.refused.add(message.n);
    return err(refusal);
  }

  private forget(n: number): void {
    this.bytes -= this.unfinished.get(n)?.bytes ?? 0;
    this.unfinished.delete(n);
  }
}
