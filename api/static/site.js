// Small movements over pages that work without them. GOV.UK Frontend is started here, and again for what HTMX swaps in.
const own = document.querySelector('script[data-govuk]')
const { initAll } = await import(own.dataset.govuk)
initAll()

// What HTMX swaps in has components that are not started yet, and a count that nobody who listens has heard.
const told = document.querySelector('[data-told]')
document.addEventListener('htmx:load', (event) => {
  const part = event.detail.elt
  if (part === document.body) return
  initAll({ scope: part })
  const said = part.querySelector('[data-tell]')
  if (told && said) told.textContent = said.textContent
})

// What is folded on the screen is unfolded on paper, and folded again afterwards.
let folded = []
window.addEventListener('beforeprint', () => {
  folded = [...document.querySelectorAll('details:not([open])')]
  folded.forEach((one) => { one.open = true })
})
window.addEventListener('afterprint', () => {
  folded.forEach((one) => { one.open = false })
  folded = []
})

// Whoever unfolds a record has looked at it, and that is kept; paper unfolds everything, which is not looking.
const look = async (record) => {
  const form = record.querySelector('[data-looking]')
  if (!form || form.dataset.sent) return
  form.dataset.sent = 'yes'
  try {
    const answer = await fetch(form.action, {
      method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { 'HX-Request': 'true' }
    })
    if (answer.status !== 204) return   // the button is still there
    record.parentElement.querySelector('[data-looked]').hidden = false
    if (form.contains(document.activeElement)) record.querySelector('summary').focus()
    form.remove()
  } catch {
    delete form.dataset.sent
  }
}
document.addEventListener('toggle', (event) => {
  const one = event.target
  if (one.open && one.matches('[data-record]') && !folded.includes(one)) look(one)
}, true)

// A link to one record opens it, and what it is folded into.
const show = () => {
  const wanted = location.hash.length > 1 && document.getElementById(location.hash.slice(1))
  const around = wanted && wanted.closest('details')
  if (around && !around.open) {
    around.open = true
    wanted.scrollIntoView()
  }
  const record = wanted && wanted.querySelector(':scope > [data-record]')
  if (record) record.open = true
}
window.addEventListener('hashchange', show)
show()

// On a narrow screen the filters stand before the list, so they start folded there.
if (window.matchMedia('(max-width: 40em)').matches) {
  document.querySelectorAll('[data-fold="narrow"]').forEach((one) => { one.open = false })
}

document.querySelectorAll('[data-print]').forEach((button) => {
  button.hidden = false
  button.addEventListener('click', () => window.print())
})
