"""Export: one learned task as files of transformers or peft."""
