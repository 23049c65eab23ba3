"""The no-BERT baseline: scikit-learn pipelines on the words of the texts, without an encoder.

`texts` turns the token ids of a row back into text, `features` counts words and characters in it, `vectors` makes word
vectors, `pipelines` fits one candidate after another, `fit` chooses on the validation rows, and `predict` gives the
logits from the stored tensors. Other packages import `learners.nobert.fit` and `learners.nobert.predict`. The settings
and the shapes of the tensors are in `learners.specification.text_model`.
"""
