// SPDX-License-Identifier: LGPL-2.1-or-later
// One peer of peers.py: onnxruntime on CPUs. Prints the times of some runs as JSON.
//   node onnxruntime.js FOLDER-OF-node_modules '{"model", "runs", "threads", "inputs":
//     [{"name", "type", "shape", "file"}], "folder"}'
// An input without a file of raw values is random. With a folder, outputs go there as
// raw floats, and their names, shapes and files into the JSON.
const { createRequire } = require('module');
const fs = require('fs');
const ort = createRequire(process.argv[2] + '/')('onnxruntime-node');
const job = JSON.parse(process.argv[3]);
const arrays = { f32: ['float32', Float32Array], i64: ['int64', BigInt64Array],
  i32: ['int32', Int32Array], u8: ['uint8', Uint8Array], bool: ['bool', Uint8Array] };

function feed ({ type, shape, file }) {
  const [name, Values] = arrays[type];
  if (file) {
    const bytes = fs.readFileSync(file);
    return new ort.Tensor(name, new Values(Uint8Array.from(bytes).buffer), shape);
  }
  const data = new Values(shape.reduce((a, b) => a * b, 1));
  if (type === 'f32')
    for (let i = 0; i < data.length; i++)
      data[i] = Math.random();
  return new ort.Tensor(name, data, shape);
}

function save (results) {
  return Object.entries(results).map(([name, { dims, data }], i) => {
    const file = `${job.folder}/${i}.f32`;
    fs.writeFileSync(file, Buffer.from(Float32Array.from(data, Number).buffer));
    return { name, shape: dims, file };
  });
}

async function main () {
  const start = performance.now();
  const session = await ort.InferenceSession.create(job.model, { intraOpNumThreads: job.threads,
    interOpNumThreads: 1, graphOptimizationLevel: 'all' });
  const feeds = Object.fromEntries(job.inputs.map(input => [input.name, feed(input)]));
  const results = await session.run(feeds);
  const load = performance.now() - start;
  const ms = [], cpu = [];
  for (let i = 0; i < job.runs; i++) {
    const used = process.cpuUsage(), from = performance.now();
    await session.run(feeds);
    ms.push(performance.now() - from);
    const { user, system } = process.cpuUsage(used);
    cpu.push((user + system) / 1000);
  }
  console.log(JSON.stringify({ version: ort.env.versions.node, load_ms: load, ms, cpu_ms: cpu,
    outputs: job.folder ? save(results) : [] }));
}

main().catch(error => { console.error(error.message); process.exit(1); });
