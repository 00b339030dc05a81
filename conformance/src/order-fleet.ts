import { ConnectionEnded, RawWriter, Refused, type RawEvent } from "./raw-writer.ts";
import { enrolmentCode } from "./relay-process.ts";

const BATCH_ORDERS = 5;

interface Device {
  readonly writer: RawWriter;
  /** Its whole chain, in order. A device keeps what it made. */
  readonly made: RawEvent[];
}

/** Devices that send orders all at once, and remember what they were promised for them. */
export class OrderFleet {
  readonly #devices: readonly Device[];
  #onAcknowledged: () => void = () => undefined;

  private constructor(devices: readonly Device[]) {
    this.#devices = devices;
  }

  /** Enrols `size` reps, each with one device, at the relay that runs on `dir`. */
  static async enrol(dir: string, url: string, size: number): Promise<OrderFleet> {
    const devices: Device[] = [];
    for (let number = 1; number <= size; number += 1) {
      const person = `W${String(number).padStart(3, "0")}`;
      const code = await enrolmentCode(dir, person, { name: `Writer ${number}`, role: "rep" });
      devices.push({ writer: await RawWriter.enrol(url, code), made: [] });
    }
    return new OrderFleet(devices);
  }

  get writers(): readonly RawWriter[] {
    return this.#devices.map(({ writer }) => writer);
  }

  /** Orders made so far. */
  get made(): number {
    return this.#devices.reduce((sum, { made }) => sum + made.length, 0);
  }

  /** Orders that were acknowledged so far. */
  get acknowledged(): number {
    return this.#devices.reduce((sum, { writer }) => sum + writer.acknowledged.size, 0);
  }

  /** The position that was promised for each acknowledged order, by its hash, as things stand now. */
  promises(): Map<string, number> {
    return new Map(this.#devices.flatMap(({ writer }) => [...writer.acknowledged]));
  }

  /** From now on only these promises count: as if what came after them had never been heard. */
  goBackTo(promises: ReadonlyMap<string, number>): void {
    for (const { writer } of this.#devices) {
      for (const hash of writer.acknowledged.keys()) if (!promises.has(hash)) writer.acknowledged.delete(hash);
    }
  }

  /** Each device makes so many orders more. They exist only there until they are sent. */
  make(ordersEach: number): void {
    for (const { writer, made } of this.#devices) made.push(...writer.makeOrders(ordersEach));
  }

  /**
   * Every device connects and sends what was not acknowledged, all at once. Resolves when each has sent everything
   * (true) or a connection ended before (false). Rejects where the relay gives a wrong answer.
   */
  async send(): Promise<boolean> {
    const ends = await Promise.all(this.#devices.map((device) => this.#sendFrom(device)));
    return ends.every(Boolean);
  }

  /**
   * Sends, and resolves at the moment when `more` orders have been acknowledged; `ended` is what `send` answers. Rejects
   * where sending ends before that moment.
   */
  async sendUntil(more: number): Promise<{ readonly ended: Promise<boolean> }> {
    const enough = this.acknowledged + more;
    const ended = this.send();
    const reached = new Promise<void>((resolve) => {
      this.#onAcknowledged = () => {
        if (this.acknowledged >= enough) resolve();
      };
      this.#onAcknowledged();
    });
    const tooEarly = ended.then(() => {
      if (this.acknowledged < enough) throw new Error("sending ended before enough was acknowledged");
    });
    await Promise.race([reached, tooEarly]);
    return { ended };
  }

  /** Every device connects and sends the oldest batch that waits. Answers the refusals, in no order. */
  async offer(): Promise<readonly Refused[]> {
    const answers = await Promise.all(
      this.#devices.map(async (device): Promise<Refused | null> => {
        try {
          await device.writer.connect();
          if (await device.writer.append(waitingOf(device).slice(0, BATCH_ORDERS))) return null;
        } catch (error) {
          if (error instanceof Refused) return error;
          throw error;
        }
        throw new ConnectionEnded("a connection ended without an answer");
      }),
    );
    return answers.filter((answer) => answer !== null);
  }

  /** The first device sends the oldest batch that waits by HTTP. */
  async post(): Promise<{ readonly status: number; readonly retryAfter: string | null }> {
    const [device] = this.#devices;
    if (device === undefined) throw new Error("a fleet has a device");
    const { writer } = device;
    const { status, retryAfter, body } = await writer.post(writer.batch(waitingOf(device).slice(0, BATCH_ORDERS)));
    if (status === 200) writer.note(body);
    return { status, retryAfter };
  }

  async #sendFrom(device: Device): Promise<boolean> {
    const { writer } = device;
    const waiting = waitingOf(device);
    try {
      await writer.connect();
    } catch (error) {
      if (error instanceof ConnectionEnded) return false;
      throw error;
    }
    for (let at = 0; at < waiting.length; at += BATCH_ORDERS) {
      if (!(await writer.append(waiting.slice(at, at + BATCH_ORDERS)))) return false;
      this.#onAcknowledged();
    }
    return true;
  }
}

const waitingOf = ({ writer, made }: Device) => made.filter(({ hash }) => !writer.acknowledged.has(hash));
