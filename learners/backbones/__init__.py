"""Backbones: frozen pretrained encoders, their architectures and weights.

`backbone` loads one (`load_backbone` returns a `Backbone`): `locate` finds the files, `weights` and `tokenizer` read
and check them, and `fingerprint` hashes them. `tokenizer_file` reads tokenizer.json where that is all that transformers
would read, by what `tokenizer_classes` knows of its classes. `library` and `library_config` build what transformers
needs for peft and exports. `architecture` describes an encoder as plain data, and `architectures` has one table per
architecture. `sites` maps roles such as `ffn.output` to modules and parameters. `published` has the configurations of
well-known encoders, so that parameters can be counted without weights.
"""
