// Runs the public HTTP caching test suite (npm http-cache-tests) against a node and prints its results as JSON with each
// test's kind. Arguments: the port for the suite's own origin (loopback only), and the base URL of the node.
import http from 'node:http'
import { writeSync } from 'node:fs'

const [originPort, base] = process.argv.slice(2)
const listen = http.Server.prototype.listen
http.Server.prototype.listen = function (port) { return listen.call(this, port, '127.0.0.1') } // it would take all addresses
Object.assign(process.env, {
  npm_config_protocol: 'http', npm_config_port: originPort, npm_config_base: base, npm_config_id: '',
  npm_config_pidfile: '/dev/null'
})
const log = console.log
console.log = () => {}
await import('http-cache-tests/server/server.mjs')
const { runTests, getResults } = await import('http-cache-tests/client/runner.mjs')
const { default: suites } = await import('http-cache-tests/tests/index.mjs')
const { default: fetch } = await import('node-fetch')
await runTests(suites, fetch, false, base)
console.log = log
const results = getResults()
const out = []
for (const suite of suites) {
  for (const test of suite.tests) {
    if (test.browser_only) continue
    out.push({ id: test.id, kind: test.kind ?? 'required', result: results[test.id] ?? 'not run' })
  }
}
writeSync(1, JSON.stringify(out))
process.exit(0)
