"""What of rendering an operator decides."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.watch import Allowance

_MIB = 1024 * 1024


class RendererSettings(BaseSettings):
    """How many children there are and what one picture may use."""

    model_config = SettingsConfigDict(frozen=True)

    render_children: int = Field(
        default=0,
        ge=0,
        description="How many child processes work at a time on rasters, and as many on vectors; "
        "0 means one more than there are processors, of which four count.",
    )
    render_processor_seconds: float = Field(
        default=10, gt=0, description="Processor time that one task of a child may take."
    )
    render_seconds: float = Field(
        default=30, gt=0, description="Time on the clock that one task of a child may take."
    )
    render_memory_mib: int = Field(
        default=512, ge=128, description="Memory that one child may hold, in MiB."
    )
    render_queue_seconds: float = Field(
        default=30,
        gt=0,
        description="How long a task waits for a free child; beyond it the answer is 503.",
    )

    def bounds(self) -> Bounds:
        """What a Renderer is made with."""
        return Bounds(
            children=self.render_children,
            allowance=Allowance(
                seconds=self.render_seconds,
                processor_seconds=self.render_processor_seconds,
                memory_bytes=self.render_memory_mib * _MIB,
            ),
            queue_seconds=self.render_queue_seconds,
        )
