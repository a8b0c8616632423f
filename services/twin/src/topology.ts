/** A service of the shop and what one request to it does. */
export interface ShopService {
  readonly name: string;
  readonly operation: string;
  /** Median of its own work, ms, log-normal. */
  readonly medianMs: number;
  /** Spread of its own work: standard deviation of the logarithm. */
  readonly sigma: number;
  /** Share of its own requests that fail while all is well, 0 to 1. */
  readonly errorRatio: number;
  /** Services it calls, each with the share of requests that do. A failed call fails the caller. */
  readonly calls: readonly { readonly service: string; readonly ratio: number }[];
  readonly instances: number;
}

/** The shop: every request enters at `web`. */
export const SHOP: readonly ShopService[] = [
  {
    name: 'web',
    operation: 'GET /shop',
    medianMs: 6,
    sigma: 0.3,
    errorRatio: 0.001,
    calls: [
      { service: 'search', ratio: 0.3 },
      { service: 'cart', ratio: 0.25 },
      { service: 'checkout', ratio: 0.65 },
    ],
    instances: 2,
  },
  {
    name: 'checkout',
    operation: 'POST /checkout',
    medianMs: 12,
    sigma: 0.35,
    errorRatio: 0.002,
    calls: [
      { service: 'payment', ratio: 0.9 },
      { service: 'inventory', ratio: 0.4 },
    ],
    instances: 4,
  },
  { name: 'payment', operation: 'POST /charge', medianMs: 15, sigma: 0.3, errorRatio: 0.001, calls: [], instances: 2 },
  { name: 'search', operation: 'GET /search', medianMs: 9, sigma: 0.4, errorRatio: 0.001, calls: [], instances: 2 },
  {
    name: 'cart',
    operation: 'GET /cart',
    medianMs: 5,
    sigma: 0.3,
    errorRatio: 0.001,
    calls: [{ service: 'inventory', ratio: 0.5 }],
    instances: 2,
  },
  { name: 'inventory', operation: 'GET /stock', medianMs: 4, sigma: 0.3, errorRatio: 0.001, calls: [], instances: 2 },
];

/** Where requests enter. */
export const ENTRY = 'web';
