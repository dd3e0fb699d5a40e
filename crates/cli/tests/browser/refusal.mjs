// What goes wrong, told to people.

import { walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  await session.signIn('viewer')
  await session.refused(422, () => page.goto('/?over=decades'))
  await page.getByRole('listitem').filter({ hasText: 'over: unknown variant `decades`' }).waitFor()
  await session.look('refusal')
  await page.getByRole('link', { name: 'To the overview' }).click()
  await page.getByRole('heading', { name: 'Today' }).waitFor()
})
