import type { Meter } from "../outbox/lanes.ts";
import type { Http } from "./http.ts";

/** What a request line, its headers and a status line cost, about: the platforms do not tell. */
const HEAD_BYTES = 300;

/** Counts what plain HTTP costs: reference packs in the documents' lane, all else with the link. */
export function metered(http: Http, meter: Meter): Http {
  return {
    request: async (request) => {
      const lane = request.path.startsWith("/v1/packs/") ? "documents" : "link";
      const answer = await http.request(request);
      if (answer.status === 0) return answer;
      meter.sent(lane, HEAD_BYTES + (request.body?.length ?? 0));
      meter.received(lane, HEAD_BYTES + answer.body.length);
      return answer;
    },
  };
}
