// Rates of graphile-worker and pg-boss on a PostgreSQL server: jobs added one by one by so many callers at once, and jobs fetched one by
// one and completed by as many. One line of JSON a measurement, for queue_postgres.py. Runs in the folder where the packages are.
//
// usage: node queue_peers.mjs URL CALLERS JOBS RUNS
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { PgBoss } from "pg-boss";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const [url, callers, jobs, runs] = [process.argv[2], ...process.argv.slice(3).map(Number)];
// As long as what Banksman keeps of a job without keys.
const payload = { manifest: "x".repeat(560) };
const silent = new Logger(() => () => {});

async function rate(count, work) {
  const start = process.hrtime.bigint();
  await work();
  return count / (Number(process.hrtime.bigint() - start) / 1e9);
}

const atOnce = (count, work) =>
  Promise.all(Array.from({ length: callers }, async () => { for (let n = 0; n < count / callers; n++) await work(); }));

async function graphile(batched) {
  const pool = new pg.Pool({ connectionString: url, max: callers + 2 });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
  await utils.migrate();
  const rates = { add: [], work: [] };
  for (let n = 0; n < runs; n++) {
    rates.add.push(await rate(jobs, () => atOnce(jobs, () => utils.addJob("noop", payload))));
    let done = 0;
    let told, stop;
    const all = new Promise((resolve) => { told = resolve; });
    const taskList = { noop: async () => { if (++done === jobs) told(); } };
    const batching = batched ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {};
    rates.work.push(await rate(jobs, async () => {
      const runner = await run({ pgPool: pool, taskList, logger: silent, noHandleSignals: true,
        preset: { worker: { concurrentJobs: callers, maxPoolSize: callers + 2, ...batching } } });
      await all;
      // The handlers are through; the last completions are on their way.
      while ((await pool.query("SELECT 1 FROM graphile_worker.jobs LIMIT 1")).rows.length) await sleep(1);
      stop = () => runner.stop();
    }));
    await stop();
  }
  await utils.release();
  await pool.end();
  return rates;
}

async function boss() {
  const boss = new PgBoss({ connectionString: url, max: callers, supervise: false, schedule: false });
  boss.on("error", (error) => { throw error; });
  await boss.start();
  await boss.createQueue("noop");
  const rates = { add: [], work: [] };
  for (let n = 0; n < runs; n++) {
    rates.add.push(await rate(jobs, () => atOnce(jobs, () => boss.send("noop", payload))));
    rates.work.push(await rate(jobs, () => atOnce(jobs, async () => {
      const [job] = await boss.fetch("noop");
      await boss.complete("noop", job.id);
    })));
  }
  await boss.stop({ graceful: false });
  return rates;
}

const print = (peer, rates) => console.log(JSON.stringify({ peer, ...rates }));
print("graphile-worker", await graphile(false));
print("pg-boss", await boss());
print("graphile-worker, fetching 500 at a time", await graphile(true));
process.exit(0);
