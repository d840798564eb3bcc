import { ok } from "node:assert/strict";
import { cosineSimilarity, l2Distance } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";

Deno.test("clusteredVectors() draws unit vectors", () => {
  const zero = new Float32Array(64);
  for (const vector of clusteredVectors(100, 64)) {
    ok(Math.abs(l2Distance(vector, zero) - 1) < 1e-6);
  }
});

Deno.test("clusteredVectors() lies closer together within a cluster", () => {
  const [first, ...others] = clusteredVectors(400, 128, { clusters: 4 });
  const similarities = others.map((other) => cosineSimilarity(first, other));
  const near = similarities.filter((value) => value > 0.25).length;
  // One in four shares the cluster; unrelated directions stay near 0.
  ok(near > 70 && near < 130, `${near} of 399 are near the first`);
});

Deno.test("clusteredVectors() with another seed draws other vectors", () => {
  const [a] = clusteredVectors(1, 128, { seed: 1 });
  const [b] = clusteredVectors(1, 128, { seed: 2 });
  ok(Math.abs(cosineSimilarity(a, b)) < 0.4);
});
