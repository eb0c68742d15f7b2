"""The regression gate: a policy on a recorded model, judged by the criteria that the policy states.

`replay` decides, `trial` and `outcomes` meet the labels, `criteria` judges, `verdict` is what is printed
by `reporting` and signed by `minting`. Nothing is imported here: `replay` starts processes of its own.
"""
