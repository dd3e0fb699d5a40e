// What belongs to whoever has signed in.

import { PASSWORD, walk } from './session.mjs'

const NEW = 'another horse battery'

await walk(async (session) => {
  const { page } = session
  const email = await session.signIn('operator')
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByText(`You are signed in as ${email}, operator.`).waitFor()
  await session.look('account')

  const change = (current) => session.enter({ 'Current password': current, 'New password': NEW }, 'Change it')
  await session.refused(422, () => change('wrong'))
  await page.getByRole('alert').getByText('not your current password').waitFor()
  await session.look('account-refused')

  await change(PASSWORD)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  const signIn = (password) => session.enter({ 'E-mail': email, Password: password }, 'Sign in')
  await session.refused(401, () => signIn(PASSWORD))
  await page.getByRole('alert').waitFor()
  await signIn(NEW)
  await page.getByRole('heading', { name: 'Today' }).waitFor()
})
