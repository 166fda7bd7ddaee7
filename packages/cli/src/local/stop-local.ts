import { elasticsearchRecipe } from './elasticsearch.ts'
import { stopLocalService } from './local-service.ts'
import { redisRecipe } from './redis.ts'

/** Ends the local Redis and Elasticsearch of a data folder, whoever started them. Returns the names of those that ran. */
export async function stopLocal(folder: string): Promise<string[]> {
  const recipes = [redisRecipe, elasticsearchRecipe]
  const ran = await Promise.all(recipes.map((recipe) => stopLocalService(recipe, folder)))
  return recipes.filter((_, index) => ran[index]).map(({ name }) => name)
}
