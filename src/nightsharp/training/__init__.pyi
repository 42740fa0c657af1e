from .curve import Row
from .job import DivergedError, Event, Job, Trained
from .launch import train
from .recipe import Recipe, load_recipe, shipped_recipes
from .rehearsal import Rehearsal, rehearse

__all__ = [
    "DivergedError",
    "Event",
    "Job",
    "Recipe",
    "Rehearsal",
    "Row",
    "Trained",
    "load_recipe",
    "rehearse",
    "shipped_recipes",
    "train",
]
