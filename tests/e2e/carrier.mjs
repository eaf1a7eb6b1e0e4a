// SNS that carries to SQS, by fauxqs: node carrier.mjs PORT. Makes a topic and says its ARN. Then each line on standard
// input is {"queues": name, "count": 2} (or "raw": [bool...]), {"publish": text}, {"send": queue, "text": text} or
// {"left": queue}; each is answered by a line: the queues made under the topic, a MessageId, or how many messages are left
// and hidden there.
import { createInterface } from 'node:readline';
import { buildApp } from 'fauxqs';
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient,
} from '@aws-sdk/client-sqs';

const port = Number(process.argv[2]);
const app = buildApp({ host: '127.0.0.1', logger: false });
await app.listen({ port, host: '127.0.0.1' });
const options = {
  region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`,
  credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
};
const sns = new SNSClient(options);
const sqs = new SQSClient(options);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const arn = async (url) => (await sqs.send(new GetQueueAttributesCommand({
  QueueUrl: url, AttributeNames: ['QueueArn'],
}))).Attributes.QueueArn;

const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'deploys' }));

// Queues under the topic, with raw message delivery or SNS's envelopes, and the one for dead letters of all. Calls for messages
// that a stopped node left behind still wait at its own queues and would take what comes: each test has new ones.
async function queuesUnder(name, raw) {
  const dead = (await sqs.send(new CreateQueueCommand({ QueueName: `${name}-dead` }))).QueueUrl;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await arn(dead), maxReceiveCount: '2' });
  const queues = [];
  for (const [i, isRaw] of raw.entries()) {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({
      QueueName: `${name}-${i + 1}`, Attributes: { RedrivePolicy },
    }));
    await sns.send(new SubscribeCommand({
      TopicArn, Protocol: 'sqs', Endpoint: await arn(QueueUrl), Attributes: { RawMessageDelivery: String(isRaw) },
    }));
    queues.push(QueueUrl);
  }
  return { queues, dead };
}
say({ topic: TopicArn });

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.queues !== undefined) {
    say(await queuesUnder(asked.queues, asked.raw ?? Array.from({ length: asked.count ?? 2 }, (_, i) => i % 2 === 1)));
  } else if (asked.publish !== undefined) {
    say((await sns.send(new PublishCommand({ TopicArn, Message: asked.publish }))).MessageId);
  } else if (asked.send !== undefined) {
    say((await sqs.send(new SendMessageCommand({ QueueUrl: asked.send, MessageBody: asked.text }))).MessageId);
  } else {
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({
      QueueUrl: asked.left,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }));
    say([Number(Attributes.ApproximateNumberOfMessages), Number(Attributes.ApproximateNumberOfMessagesNotVisible)]);
  }
}
process.exit(0);
