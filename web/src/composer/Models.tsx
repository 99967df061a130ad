import type { Choice } from '../hooks/useModels'

/** Picks provider and model; not there until the server has said what it has. */
export function Models({ models, provider, model, choose }: Choice) {
  if (!models) return null
  const options = models.providers.flatMap(({ name, models }) => models.map((model) => ({ provider: name, model })))
  return (
    <label>
      <span className="unseen">Model</span>
      <select
        value={options.findIndex((option) => option.provider === provider && option.model === model)}
        onChange={({ target }) => {
          const chosen = options[Number(target.value)]
          if (chosen) choose(chosen.provider, chosen.model)
        }}
      >
        {models.providers.map(({ name }) => (
          <optgroup key={name} label={name}>
            {options.map((option, index) => option.provider === name && (
              <option key={option.model} value={index}>{option.model}</option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  )
}
