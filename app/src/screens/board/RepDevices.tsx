import { z } from "zod";
import { useRelay } from "../../board/use-relay.ts";
import { Badge, type Tone } from "../../ui/Badge.tsx";
import { Fact } from "../../ui/Fact.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { useWords } from "../../ui/use-words.ts";

const verdicts = ["all-in", "owing", "silent", "needs-help", "revoked", "never-heard"] as const;

const fleetSchema = z.object({
  devices: z.array(
    z.object({
      device: z.string(),
      person: z.string(),
      verdict: z.enum(verdicts),
      reason: z.string(),
      heardAt: z.string().nullable(),
      received: z.number(),
      declared: z.number().nullable(),
      spentBytesToday: z.number().nullable(),
      app: z.string().nullable(),
      pack: z.number().nullable(),
    }),
  ),
});

const look: Readonly<
  Record<(typeof verdicts)[number], { icon: "done" | "waiting" | "unknown" | "alert"; tone: Tone }>
> = {
  "all-in": { icon: "done", tone: "done" },
  owing: { icon: "waiting", tone: "waits" },
  silent: { icon: "unknown", tone: "person" },
  "needs-help": { icon: "alert", tone: "person" },
  revoked: { icon: "alert", tone: "plain" },
  "never-heard": { icon: "unknown", tone: "plain" },
};

/** A rep's devices, with what each said at its last contact and why it is judged so. */
export function RepDevices({ rep, again }: { rep: string; again: unknown }) {
  const { t, format } = useWords();
  const asked = useRelay(fleetSchema, "/v1/fleet", again);
  const devices = asked.state === "here" ? asked.value.devices.filter(({ person }) => person === rep) : [];
  return (
    <section className="card" aria-labelledby="rep-devices">
      <h2 id="rep-devices">{t("repView.devices")}</h2>
      {asked.state === "loading" && <Loading rows={1} />}
      {asked.state === "error" && <p className="soft">{t("board.error", { status: asked.status })}</p>}
      {asked.state === "here" && devices.length === 0 && <p className="soft">{t("repView.noDevices")}</p>}
      <ul className="stack">
        {devices.map((device) => (
          <li key={device.device} className="version">
            <div className="spread">
              <span className="strong">{device.device}</span>
              <Badge {...look[device.verdict]}>{t(`repView.verdict.${device.verdict}`)}</Badge>
            </div>
            <p>{device.reason}</p>
            <dl className="facts">
              <Fact
                name={t("board.heard")}
                value={device.heardAt === null ? t("board.never") : format.time(device.heardAt)}
              />
              <Fact
                name={t("repView.received")}
                value={
                  device.declared === null
                    ? t("board.unknown")
                    : t("board.stopsOf", { visited: device.received, planned: device.declared })
                }
              />
              <Fact
                name={t("repView.spent")}
                value={device.spentBytesToday === null ? t("board.unknown") : format.size(device.spentBytesToday)}
              />
              <Fact
                name={t("me.version")}
                value={[device.app ?? t("board.unknown"), device.pack === null ? "" : `#${device.pack}`].join(" ")}
              />
            </dl>
          </li>
        ))}
      </ul>
    </section>
  );
}
