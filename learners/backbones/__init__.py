"""Backbones: frozen pretrained encoders, their architectures and weights.

`backbone` loads one (`load_backbone` returns a `Backbone`): `locate` finds the files; `weights` reads and checks
parameters, and `fused` joins those of query, key and value; `tokenizer` loads tokenizers, `tokenizer_file` from
tokenizer.json alone, by the rules in `tokenizer_classes`; `fingerprint` hashes. `architecture` describes an encoder as
plain data, and `architectures` has one table per architecture. `sites` names the representations in a layer, such as
`ffn.output`, and their parameters. `published` has the configurations of well-known encoders, so that parameters can be
counted without weights. `library` and `library_config` build objects of transformers, for exports, methods of peft and
other tokenizers; `module_tree` builds modules that only hold parameters.
"""
