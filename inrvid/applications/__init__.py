"""What a trained model is used for: `generate` writes videos."""
