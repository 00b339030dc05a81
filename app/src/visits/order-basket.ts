import {
  eventKinds,
  goodBySku,
  judgeWith,
  policies,
  priceOf,
  type Envelope,
  type EventBody,
  type Identity,
  type OrderLine,
  type Pack,
  type PolicyContext,
  type Verdict,
} from "@sampai/engine";

/** What the form holds while an order is being written: SKU → quantity, in the order in which goods were chosen. */
export type Basket = Readonly<Record<string, number>>;

/** The order's lines at the prices of that day. Goods that are no longer in the pack are left out. */
export function linesOf(pack: Pack, basket: Basket, day: string): readonly OrderLine[] {
  return Object.entries(basket).flatMap(([sku, quantity]) => {
    const good = goodBySku(pack, sku);
    const price = quantity < 1 ? undefined : priceOf(pack, sku, quantity, day);
    if (good === undefined || price === undefined) return [];
    return { sku, quantity, unit: good.unit, unitPriceSen: price.unitPriceSen, scheme: price.scheme };
  });
}

/**
 * What the rules of the house would say of this order, before it is placed: the same pure rules that judge it at HQ.
 * They advise; none of them stops a rep.
 */
export function adviceOn(
  order: EventBody<"orderPlaced">,
  where: { readonly identity: Identity; readonly visit: string; readonly store: string; readonly at: string },
  context: PolicyContext,
): readonly Verdict[] {
  const { identity, visit, store, at } = where;
  const asCaptured: Envelope = {
    v: 1,
    id: visit,
    kind: eventKinds.orderPlaced.name,
    workspace: identity.workspace,
    device: identity.device,
    run: "0".repeat(16),
    seq: 1,
    prev: null,
    rep: identity.rep,
    visit,
    store,
    at,
    offset: 0,
    zone: identity.zone,
    clock: { tick: 0, boot: "", anchor: null, wall: at },
    place: null,
    seen: { pack: context.pack?.number ?? null, store: [] },
    body: order,
  };
  return judgeWith(policies, asCaptured, context).filter(({ verdict }) => verdict === "fail");
}
