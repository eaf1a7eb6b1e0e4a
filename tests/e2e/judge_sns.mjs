// Two validators that others wrote judge an SNS message: node judge_sns.mjs MESSAGE.json CERTIFICATE_PORT CA.pem
// sns-validator gets the message as it is. sns-payload-validator takes certificate addresses of AWS only, so there the
// (unsigned) SigningCertURL names the real host, and the agent connects to the test's server instead.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';
import Validator from 'sns-validator';
import PayloadValidator from 'sns-payload-validator';

const [file, port, caFile] = process.argv.slice(2);
const message = JSON.parse(readFileSync(file, 'utf8'));
const ca = readFileSync(caFile);
https.globalAgent.options.ca = ca;

await new Promise((resolve, reject) => {
  const official = new Validator(new RegExp(`^127\\.0\\.0\\.1:${port}$`));
  official.validate({ ...message }, (error) => (error ? reject(new Error(`sns-validator: ${error}`)) : resolve()));
});

class ToTestServer extends https.Agent {
  createConnection(options, callback) {
    const to = { ...options, host: '127.0.0.1', port: Number(port), servername: 'localhost', ca };
    return tls.connect(to, callback);
  }
}
const region = message.TopicArn.split(':')[3];
const url = new URL(message.SigningCertURL);
const asAws = { ...message, SigningCertURL: `https://sns.${region}.amazonaws.com${url.pathname}` };
await new PayloadValidator({ useCache: false, requestAgent: new ToTestServer() }).validate(asAws);
console.log('both accept it');
