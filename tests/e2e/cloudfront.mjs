// Creates, waits for, gets and lists invalidations at the endpoint given; prints what came of it as JSON.
import {
  CloudFrontClient,
  CreateInvalidationCommand,
  CreateInvalidationForDistributionTenantCommand,
  GetInvalidationCommand,
  ListInvalidationsCommand,
  waitUntilInvalidationCompleted,
} from "@aws-sdk/client-cloudfront";

const client = new CloudFrontClient({ endpoint: process.argv[2], region: "us-east-1" });
const batch = {
  DistributionId: "E1",
  InvalidationBatch: { CallerReference: "sdk-1", Paths: { Quantity: 2, Items: ["/sdk*", "#a&<b>"] } },
};
const made = await client.send(new CreateInvalidationCommand(batch));
const id = made.Invalidation.Id;
const waited = await waitUntilInvalidationCompleted({ client, maxWaitTime: 60 }, { DistributionId: "E1", Id: id });
const got = await client.send(new GetInvalidationCommand({ DistributionId: "E1", Id: id }));
const listed = await client.send(new ListInvalidationsCommand({ DistributionId: "E1", MaxItems: 10 }));
const again = await client.send(new CreateInvalidationCommand(batch));
await client.send(
  new CreateInvalidationForDistributionTenantCommand({
    Id: "dt_1",
    InvalidationBatch: { CallerReference: "sdk-2", Paths: { Quantity: 1, Items: ["/tenant"] } },
  }),
);
let fault = "";
try {
  await client.send(new CreateInvalidationCommand({ ...batch, DistributionId: "E2" }));
} catch (e) {
  fault = e.name;
}
console.log(
  JSON.stringify({
    id,
    status: got.Invalidation.Status,
    waited: waited.state,
    again: again.Invalidation.Id,
    listed: listed.InvalidationList.Items.map((item) => item.Id),
    fault,
  }),
);
