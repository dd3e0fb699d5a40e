// Every page with something on it, in a shop that has done business for a month.

import { aMonthOfBusiness } from './business.mjs'
import { ask, ordermill, walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  aMonthOfBusiness()
  const order = await place('P-1', 3)
  await session.signIn('admin')
  await page.goto(`/orders/${order}`)
  await page.getByText('captured').first().waitFor()
  await ask('POST', '/api/refunds', { order_id: order, amount: 1250, reason: 'a crack' })
  // So that there is a job to be looked at.
  ordermill(['queue', 'pause', 'stock'])
  await place('P-2', 1)

  await session.open('Imports')
  await page.getByRole('row', { name: /month.csv/ }).waitFor()
  await session.look('imports')

  await session.open('Refunds')
  await page.getByRole('cell', { name: 'a crack' }).waitFor()
  await session.look('refunds')
  await page.getByRole('region', { name: 'Refunds as a table' }).getByRole('link').first().click()
  await page.getByRole('heading', { name: /^Refund 1/ }).waitFor()
  await session.look('refund')

  await session.open('Notifications')
  await page.getByRole('cell', { name: 'pat@example.com' }).first().waitFor()
  await session.look('notifications')
  await page.getByRole('region', { name: 'Notifications as a table' }).getByRole('link').first().click()
  await page.getByRole('heading', { name: /^Notification \d+/ }).waitFor()
  await session.look('notification')
  await page.goto('/notifications/templates/shipped')
  await page.frameLocator('iframe').getByRole('table').first().waitFor()
  await session.look('template')

  await session.open('Customers')
  await page.getByRole('row', { name: 'pat@example.com' }).getByRole('link').first().click()
  await page.getByRole('heading', { name: 'Pat Porter' }).waitFor()
  await session.look('customer')
  await session.open('Customers')
  await session.look('customers')

  await session.open('Products')
  await session.look('products')
  await page.getByRole('link', { name: 'TEA-1' }).click()
  await page.getByRole('region', { name: 'Movements as a table' }).waitFor()
  await session.look('product')

  await session.open('Webhooks')
  await page.getByRole('region', { name: 'Deliveries as a table' }).waitFor()
  await session.look('webhooks')

  await session.open('Queues')
  await page.getByText('paused', { exact: true }).waitFor()
  await session.look('queues')
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  const job = page.getByRole('row', { name: 'reserve_stock' })
  await job.waitFor()
  await session.look('jobs')
  await job.getByRole('link').first().click()
  await page.getByRole('heading', { name: 'What a retry would do' }).waitFor()
  await session.look('job')
  await page.getByRole('link', { name: 'Queues', exact: true }).last().click()
  await page.getByRole('link', { name: 'Workers', exact: true }).click()
  await page.getByRole('heading', { name: 'Steer supervisors' }).waitFor()
  await session.look('workers')
  await page.getByRole('link', { name: 'Batches', exact: true }).click()
  await page.getByRole('heading', { name: 'Batches' }).waitFor()
  await session.glance('batches')

  await session.open('System')
  await session.look('system')
  await session.open('People')
  await page.getByRole('cell', { name: 'admin@example.org' }).first().waitFor()
  await session.look('people')
})

/** Places an order of pat's. Answers its id. */
async function place(number, quantity) {
  const customer = { email: 'pat@example.com', name: 'Pat Porter' }
  const lines = [{ sku: 'TEA-1', quantity }]
  const { id } = await ask('POST', '/api/orders', { source: 'shop', external_id: number, customer, lines })
  return id
}
