"""What the sbatch of three releases say of their options: `--help`, `--usage`, and what getopt_long tells of all of
them, as committed; and the comparison with what they say now."""
