const POSITIVE = new Set(
  'profit growth expansion success achievement breakthrough record high surge boom bull gain rise increase'.split(' '),
)
const NEGATIVE = new Set(
  'loss decline fall crash bear recession bankruptcy fraud scandal investigation penalty fine debt'.split(' '),
)

/** What a text says of its share: more good words than bad ones, or the other way round. A word counts once. */
export function sentiment(text: string): 'positive' | 'negative' | 'neutral' {
  let balance = 0
  for (const word of new Set(text.toLowerCase().split(/[^a-z]+/))) {
    if (POSITIVE.has(word)) balance++
    else if (NEGATIVE.has(word)) balance--
  }
  return balance > 0 ? 'positive' : balance < 0 ? 'negative' : 'neutral'
}
