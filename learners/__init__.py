"""Learners: methods of continual learning that train a frozen backbone by small additions, one Delta per task.

From the bottom up; each room imports only from rooms above it in this list:

* `backbones`: pretrained encoders, their architectures, weights and tokenizers.
* `forms`: how a change of a representation is computed.
* `specification`: what a learner is, as plain data; the notation that users write.
* `methods`: one file per learner.
* `delta`: the tensors that one task adds.
* `forward`: the forward pass of a backbone with a Delta.
* `training`: the training loop, trainers and prediction.
* `export`: a learned task as files of transformers or peft.

`stream` imports from these rooms; `learners` imports only from `tasks`.
"""
