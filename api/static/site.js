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
window.addEventListener('afterprint', () => { folded.forEach((one) => { one.open = false }) })

// A link to one record opens what it is folded into.
const show = () => {
  const wanted = location.hash.length > 1 && document.getElementById(location.hash.slice(1))
  const around = wanted && wanted.closest('details')
  if (around && !around.open) {
    around.open = true
    wanted.scrollIntoView()
  }
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
