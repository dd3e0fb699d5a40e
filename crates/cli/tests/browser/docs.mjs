// The description of the API.

import { walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  await session.signIn('viewer')
  await page.getByRole('link', { name: 'API', exact: true }).click()
  await page.getByRole('heading', { name: 'The API of' }).waitFor()
  await page.getByRole('navigation').getByRole('link', { name: 'post /api/refunds' }).click()
  await page.getByRole('article').filter({ hasText: 'idempotency-key' }).first().waitFor()
  await session.look('docs')
})
