"""Size plans: quotas with a name, so that nobody has to know figures."""

from django.db import models
from django.utils.translation import get_language


class SizePlan(models.Model):
    """A named quota; figures in millicores, bytes and pieces."""

    slug = models.SlugField(max_length=20, unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    position = models.PositiveIntegerField(unique=True)
    cpu = models.PositiveBigIntegerField()
    memory = models.PositiveBigIntegerField()
    storage = models.PositiveBigIntegerField()
    pods = models.PositiveIntegerField()
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh

    @property
    def figures(self) -> dict[str, int]:
        """{cpu (millicores), memory, storage (bytes), pods}."""
        return {"cpu": self.cpu, "memory": self.memory, "storage": self.storage, "pods": self.pods}
