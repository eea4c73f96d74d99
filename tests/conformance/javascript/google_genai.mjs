// @google/genai: its tunings and its models, with Node.

import assert from "node:assert/strict";

import { GoogleGenAI } from "@google/genai";

import { KEY, LONG, OTHER_KEY, PAIRS, URL, check, run, waitUntil } from "./checks.mjs";

const BASE = "models/gemini-1.5-flash-001-tuning";
const connect = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: URL, apiVersion: "v1beta" } });
const ai = connect(KEY);
const made = {};

const tune = (config) =>
  ai.tunings.tune({
    baseModel: BASE,
    trainingDataset: { examples: PAIRS.map(([textInput, output]) => ({ textInput, output })) },
    config: { batchSize: 2, ...config },
  });

async function ended(name) {
  const job = await ai.tunings.get({ name });
  return ["JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED"].includes(job.state) && job;
}

check("tunedModels.create", async () => {
  const job = await tune({ epochCount: 2, learningRate: 0.001, tunedModelDisplayName: "Seasons" });
  assert.match(job.name, /^tunedModels\/seasons-/);
  made.name = job.name;
});

check("tunedModels.get: tunings.get()", async () => {
  const job = await waitUntil(() => ended(made.name));
  assert.equal(job.state, "JOB_STATE_SUCCEEDED");
  assert.equal(job.tunedModel.model, made.name);
});

check("tunedModels.list: tunings.list()", async () => {
  const names = [];
  for await (const job of await ai.tunings.list({ config: { pageSize: 1 } })) names.push(job.name);
  assert.ok(names.includes(made.name), names.join());
});

check("models.list", async () => {
  const names = [];
  for await (const model of await ai.models.list()) names.push(model.name);
  assert.ok(names.includes(BASE), names.join());
});

check("tunedModels.get", async () => {
  const model = await ai.models.get({ model: made.name });
  assert.equal(model.displayName, "Seasons");
  assert.equal(model.tunedModelInfo.baseModel, BASE);
});

check("tunedModels.generateContent", async () => {
  const config = { maxOutputTokens: 8, temperature: 0.5, topK: 10 };
  const answer = await ai.models.generateContent({ model: made.name, contents: "spring", config });
  assert.ok(["STOP", "MAX_TOKENS"].includes(answer.candidates[0].finishReason));
  assert.ok(answer.usageMetadata.totalTokenCount > 0);
});

check("tunedModels.streamGenerateContent", async () => {
  const question = { model: made.name, contents: "spring", config: { maxOutputTokens: 8, temperature: 0 } };
  let streamed = "";
  for await (const chunk of await ai.models.generateContentStream(question)) streamed += chunk.text ?? "";
  assert.equal(streamed, (await ai.models.generateContent(question)).text ?? "");
});

check("tunedModels.countTokens", async () => {
  const { totalTokens } = await ai.models.countTokens({ model: made.name, contents: "spring" });
  assert.ok(totalTokens > 0);
});

check("tunedModels.patch", async () => {
  const changed = await ai.models.update({ model: made.name, config: { displayName: "Year" } });
  assert.equal(changed.displayName, "Year");
});

check("tunedModels.cancel", async () => {
  const { name } = await tune({ epochCount: LONG });
  await ai.tunings.cancel({ name });
  assert.equal((await waitUntil(() => ended(name))).state, "JOB_STATE_FAILED");
  await ai.models.delete({ model: name });
});

check("error 403", async () => {
  await assert.rejects(connect(OTHER_KEY).models.get({ model: made.name }), { name: "ApiError", status: 403 });
});

check("tunedModels.delete", async () => {
  await ai.models.delete({ model: made.name });
});

check("error 404", async () => {
  await assert.rejects(ai.models.get({ model: made.name }), { name: "ApiError", status: 404 });
});

check("error 400", async () => {
  await assert.rejects(tune({ epochCount: 100 * LONG }), { name: "ApiError", status: 400 });
});

await run();
