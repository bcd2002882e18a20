"""What every section of the settings is: a mapping in which unknown keys are errors; types several sections use."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A mapping of the file: unknown keys are errors, values cannot change after reading."""

    # An admin writes `api_version: 62.0` without quotes and means the text.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
