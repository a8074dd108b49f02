def load_recipe(x): raise NotImplementedError
