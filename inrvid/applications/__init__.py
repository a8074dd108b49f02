"""What a trained model is used for: `generate` writes videos, `edit` changes their look, `analyze` looks into it."""
