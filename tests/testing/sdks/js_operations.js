// Every operation of the embedded server by the official JS SDK.
//
// `node js_operations.js URL FOLDER` prints what each operation gave, as one JSON object.
const fs = require("node:fs");
const path = require("node:path");
const { VoucherifyServerSide } = require("@voucherify/sdk");

const CODE = "JS-GIFT";

async function vouchers(api) {
  // No type: it follows from the value.
  const made = await api.vouchers.create({ code: CODE, gift: { amount: 10000 } });
  const random = await api.vouchers.create({
    discount: { type: "AMOUNT", amount_off: 500 },
    code_config: { length: 6, prefix: "R-" },
    redemption: { quantity: null },
  });
  const changed = await api.vouchers.update({ code: CODE, metadata: { season: "winter" } });
  const balance = await api.vouchers.balance.create(CODE, { amount: 500 });
  const history = await api.vouchers.listTransactions(CODE, { limit: 10 });
  const filters = {
    junction: "OR",
    campaign_ids: { conditions: { $in: ["none"] } },
    code: { conditions: { $is: random.code } },
  };
  const listed = await api.vouchers.list({ limit: 10, filters });
  const off = await api.vouchers.disable(CODE);
  const on = await api.vouchers.enable(CODE);
  await api.vouchers.delete(random.code, { force: true });
  return {
    made: [made.type, made.gift.amount, made.gift.balance],
    random: random.code.slice(0, 2),
    read: (await api.vouchers.get(CODE)).code,
    changed: changed.metadata,
    balance: [balance.amount, balance.balance],
    history: history.data.map((entry) => entry.type),
    listed: listed.vouchers.map((voucher) => voucher.code === random.code),
    switched: [off.active, on.active],
  };
}

async function imports(api, folder) {
  const file = path.join(folder, "vouchers.csv");
  fs.writeFileSync(file, "Code,Voucher Type,Value\nJS-2,GIFT_VOUCHER,100\n");
  const jobs = [
    await api.vouchers.import([{ code: "JS-1", type: "GIFT_VOUCHER", gift: { amount: 100 } }]),
    await api.vouchers.importCSV(file),
    await api.vouchers.bulkUpdate([{ code: "JS-1", metadata: { a: 1 } }]),
    await api.vouchers.bulkUpdateMetadata({ codes: ["JS-1"], metadata: { b: 2 } }),
  ];
  const ends = [];
  for (const job of jobs) ends.push((await api.asyncActions.get(job.async_action_id)).status);
  const listed = await api.asyncActions.list({ limit: 10 });
  const metadata = (await api.vouchers.get("JS-1")).metadata;
  return { ends, listed: listed.async_actions.length, metadata };
}

async function exports_(api) {
  const made = await api.distributions.exports.create({
    exported_object: "voucher",
    parameters: { fields: ["code"] },
  });
  const read = await api.distributions.exports.get(made.id);
  const listed = await api.distributions.exports.list({ limit: 10 });
  await api.distributions.exports.delete(made.id);
  const left = (await api.distributions.exports.list({ limit: 10 })).total;
  return { status: read.status, url: Boolean(read.result.url), listed: listed.total, left };
}

async function checkout(api) {
  const items = [
    { object: "voucher", id: CODE, gift: { credits: 300 } },
    { object: "promotion_tier", id: "promo_1" },
  ];
  const common = {
    redeemables: items,
    order: { source_id: "js-order", items: [{ quantity: 2, price: 1000 }] },
    customer: { source_id: "js-customer", name: "Joe" },
  };
  const session = { type: "LOCK", key: "js-lock" };
  const quote = await api.validations.validateStackable({ ...common, session });
  await api.vouchers.releaseValidationSession(CODE, "js-lock");
  const paid = await api.redemptions.redeemStackable(common);
  const parent = paid.parent_redemption.id;
  const read = await api.redemptions.get(parent);
  const back = await api.redemptions.rollbackStackable(parent);
  const again = await api.redemptions.redeemStackable({
    ...common,
    redeemables: items.slice(0, 1),
    order: { amount: 1000 },
  });
  const one = await api.redemptions.rollback(again.redemptions[0].id, "refund");
  const found = await api.qualifications.checkEligibility({ order: { amount: 1000 } });
  return {
    quote: [quote.valid, quote.order.total_amount, quote.session.key],
    paid: [paid.order.total_amount, paid.redemptions.map((item) => item.result)],
    stacked: paid.order.redemptions[parent].stacked.length,
    read: read.id === parent,
    back: [back.rollbacks.length, back.order.total_amount],
    one: [one.reason, one.amount],
    of_voucher: (await api.redemptions.getForVoucher(CODE)).total,
    listed: (await api.redemptions.list({ limit: 100 })).total,
    found: found.redeemables.data.length > 0,
  };
}

async function orders(api) {
  const made = await api.orders.create({
    source_id: "js-o",
    amount: 500,
    customer: { source_id: "js-customer" },
  });
  const read = await api.orders.get("js-o");
  const paid = await api.orders.update({ id: made.id, status: "PAID" });
  const job = await api.orders.import([{ source_id: "js-p", amount: 1 }]);
  const order = await api.distributions.exports.create({ exported_object: "order", parameters: {} });
  return {
    made: [made.source_id, made.total_amount],
    read: read.id === made.id,
    paid: paid.status,
    listed: (await api.orders.list({ limit: 10 })).total,
    started: Boolean(job.async_action_id),
    export: order.exported_object,
  };
}

async function refused(api) {
  try {
    await api.vouchers.get("NONE");
  } catch (error) {
    return { status: error.code, key: error.key };
  }
  return {};
}

async function main(url, folder) {
  const api = VoucherifyServerSide({ apiUrl: url, applicationId: "id", secretKey: "token" });
  return {
    vouchers: await vouchers(api),
    imports: await imports(api, folder),
    exports: await exports_(api),
    checkout: await checkout(api),
    orders: await orders(api),
    refused: await refused(api),
  };
}

main(process.argv[2], process.argv[3]).then(
  (told) => process.stdout.write(JSON.stringify(told)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
